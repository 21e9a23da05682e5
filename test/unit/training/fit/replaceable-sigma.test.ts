import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LayerFit, LinearFit } from '../../../../src/adapters/fit/linear-fit';
import { tensorName } from '../../../../src/adapters/inject';
import { layerValues } from '../../../../src/adapters/methods/layer-values';
import { methodOf } from '../../../../src/adapters/methods/registry';
import type { LayerAdapter } from '../../../../src/adapters/targets/select';
import { normal } from '../../../../src/base/random';
import type { AuroraSpec, TrainedSpec } from '../../../../src/experiment/methods';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { replaceableSigma, withLines } from '../../../../src/training/fit/replaceable-sigma';
import { measureTask } from '../../../../src/training/measure';
import { initialParameters, prepareTask, type Task } from '../../../../src/training/task/task';
import { Lab } from '../../../cli/lab';

const lab = new Lab({ adapter: { rank: 3, alpha: 6 } });
afterAll(() => lab.remove());

let task: Task;
let parameters: Map<string, Float32Array>;
let graphs = 0;
const drawn = (seed: number, n: number) => Float64Array.from({ length: n }, (_, i) => normal(seed, i));

beforeAll(async () => {
  task = await prepareTask(loadExperiment(lab.experiment), lab.folder);
  parameters = initialParameters(task);
  task.adapters.forEach((adapter, layer) =>
    parameters.set(tensorName(adapter, 'B'), Float32Array.from(drawn(layer, 3 * adapter.layer.outFeatures))),
  );
});

async function logitsOf(of: Task, values: ReadonlyMap<string, Float32Array>): Promise<number[]> {
  const { logits } = await measureTask(of, values, join(lab.folder, `graph-${graphs++}`));
  return logits.flatMap((l) => [...l]);
}

const largest = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((v, i) => Math.abs(v - b[i])));

/** A line for each layer, without the parts that no one reads here. */
const fitOf = (lineOf: (layer: number) => Pick<LayerFit, 'M' | 'c'>): LinearFit => ({
  ...{ step: 0, seed: 0, tokens: 1 },
  layers: task.adapters.map(({ layer: { path } }, i) => ({
    ...{ path, tokens: 1, plainA: new Float32Array(0), plain: 'origin' as const, r2: 1 },
    ...lineOf(i),
  })),
});

/** The task with another method on its layers. */
function withMethod(spec: TrainedSpec, layers = task.adapters): Task {
  const adapters = layers.map((adapter): LayerAdapter => {
    const on = { ...adapter, spec };
    return { ...on, tensors: methodOf(spec).tensors(on) };
  });
  return { ...task, adapters, graph: { ...task.graph, adapters } };
}

const all = () => new Set(task.adapters.map(({ layer }) => layer.path));

describe('a task whose σ can be replaced by lines', () => {
  it('computes what was trained if no layer is replaced', async () => {
    const lines = fitOf((i) => ({ M: drawn(50 + i, 9), c: drawn(70 + i, 3) }));
    const task2 = replaceableSigma(task);
    const same = await logitsOf(task2, withLines(task2, parameters, lines, new Set()));
    expect(largest(same, await logitsOf(task, parameters))).toBeLessThan(1e-5);
  });

  it('computes a LoRA with A′ = M A if all are replaced', async () => {
    const lines = fitOf((i) => ({ M: drawn(50 + i, 9), c: new Float64Array(3) }));
    const task2 = replaceableSigma(task);
    const replaced = await logitsOf(task2, withLines(task2, parameters, lines, all()));
    const lora = withMethod({
      ...{ method: 'lora', rank: 3, alpha: 6, dropout: 0, useRslora: false, loraBias: false },
      ...{ initialization: 'kaiming-uniform', targetModules: [] },
    } as TrainedSpec);
    const values = new Map(parameters);
    lora.adapters.forEach((adapter, i) => {
      const A = parameters.get(tensorName(adapter, 'A'))!;
      values.set(tensorName(adapter, 'A'), product(lines.layers[i].M, A, 3));
    });
    expect(largest(replaced, await logitsOf(lora, values))).toBeLessThan(1e-4);
    expect(largest(replaced, await logitsOf(task, parameters))).toBeGreaterThan(0.01);
  });

  it('adds s · B c to the bias of a layer that alone is replaced by a constant', async () => {
    const [first] = task.adapters;
    const c = drawn(7, 3);
    const lines = fitOf(() => ({ M: new Float64Array(9), c }));
    const task2 = replaceableSigma(task);
    const only = new Set([first.layer.path]);
    const replaced = await logitsOf(task2, withLines(task2, parameters, lines, only));
    const { alpha, rank } = first.spec as AuroraSpec;
    const bitfit = withMethod({ method: 'bitfit', targetModules: [] }, [first]);
    const B = parameters.get(tensorName(first, 'B'))!;
    const bias = layerValues(first.layer)
      .bias()
      .map((b, o) => b + (alpha / rank) * [0, 1, 2].reduce((sum, k) => sum + B[3 * o + k] * c[k], 0));
    const adapters = [...bitfit.adapters, ...task.adapters.slice(1)];
    const mixed = { ...task, adapters, graph: { ...task.graph, adapters } };
    const values = new Map(parameters).set(
      tensorName(bitfit.adapters[0], bitfit.adapters[0].tensors[0].name),
      bias,
    );
    expect(largest(replaced, await logitsOf(mixed, values))).toBeLessThan(1e-4);
  });
});

/** (r, r) · (r, in) */
function product(M: Float64Array, A: Float32Array, r: number): Float32Array {
  const width = A.length / r;
  return Float32Array.from({ length: A.length }, (_, k) => {
    const [i, j] = [Math.floor(k / width), k % width];
    return [...Array(r).keys()].reduce((sum, m) => sum + M[i * r + m] * A[m * width + j], 0);
  });
}
