import { tensorName } from '../../../../src/adapters/stored-tensors';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LinearFit } from '../../../../src/adapters/fit/linear-fit';
import { normal } from '../../../../src/base/random';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { fittedTask } from '../../../../src/training/fit/fitted-task';
import { replaceableSigma, withLines } from '../../../../src/training/fit/replaceable-sigma';
import { measureTask } from '../../../../src/training/measure';
import { initialParameters, prepareTask, type Task } from '../../../../src/training/task/task';
import { Lab } from '../../../cli/lab';

const lab = new Lab({ adapter: { rank: 3, alpha: 6 } });
afterAll(() => lab.remove());

let task: Task;
let parameters: Map<string, Float32Array>;
let fit: LinearFit;
let graphs = 0;
const drawn = (seed: number, n: number) => Float64Array.from({ length: n }, (_, i) => normal(seed, i));

beforeAll(async () => {
  task = await prepareTask(loadExperiment(lab.experiment), lab.folder);
  parameters = initialParameters(task);
  task.adapters.forEach((adapter, layer) =>
    parameters.set(tensorName(adapter, 'B'), Float32Array.from(drawn(layer, 3 * adapter.layer.outFeatures))),
  );
  // Any lines: the fit itself does not matter here.
  fit = {
    ...{ step: 0, seed: 0, tokens: 1 },
    layers: task.adapters.map(({ layer: { path } }, i) => ({
      ...{ path, tokens: 1, M: drawn(50 + i, 9), c: drawn(70 + i, 3), r2: 1 },
      ...{ plainA: new Float32Array(0), plain: 'origin' as const },
    })),
  };
});

async function logitsOf(of: Task, values: ReadonlyMap<string, Float32Array>): Promise<number[]> {
  const { logits } = await measureTask(of, values, join(lab.folder, `graph-${graphs++}`));
  return logits.flatMap((l) => [...l]);
}

const largest = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((v, i) => Math.abs(v - b[i])));

/** The largest difference from the LoRA with a bias that exports have in place of these layers. */
async function differenceFromLora(layers: ReadonlySet<string>): Promise<number> {
  const own = replaceableSigma(task);
  const lora = fittedTask(task, parameters, fit, { biasOf: () => true, layers });
  return largest(
    await logitsOf(own, withLines(own, parameters, fit, layers)),
    await logitsOf(lora.task, lora.parameters),
  );
}

describe('a task whose σ can be replaced by lines', () => {
  it('computes what was trained if no layer is replaced', async () => {
    const own = replaceableSigma(task);
    const same = await logitsOf(own, withLines(own, parameters, fit, new Set()));
    expect(largest(same, await logitsOf(task, parameters))).toBeLessThan(1e-5);
  });

  it('computes the fitted LoRA if all layers are replaced', async () => {
    const all = new Set(fit.layers.map(({ path }) => path));
    expect(await differenceFromLora(all)).toBeLessThan(1e-4);
    const own = replaceableSigma(task);
    const replaced = await logitsOf(own, withLines(own, parameters, fit, all));
    expect(largest(replaced, await logitsOf(task, parameters))).toBeGreaterThan(0.01);
  });

  it('computes a mixture if one layer alone is replaced', async () => {
    for (const { path } of fit.layers) expect(await differenceFromLora(new Set([path]))).toBeLessThan(1e-4);
  });
});
