import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DenseArray } from '../../../../src/cli/commands/reference/case';
import {
  caseFeeds,
  caseParameters,
  caseTask,
  shapesOf,
} from '../../../../src/cli/commands/reference/model-case';
import { openTask } from '../../../../src/engine/open-task';
import { probe } from '../../../../src/engine/onnxruntime/probe';
import type { HostTensors } from '../../../../src/engine/stepper';
import { loadModel } from '../../../../src/graph/file/load';
import { prepareModel } from '../../../../src/graph/prepare';
import { modelFile } from '../../../reference/files';
import { scratchFolder } from '../../../scratch';

const folder = scratchFolder('parts');

/** The examples from `from` up to, but not including, `to`. */
function slice(a: DenseArray, from: number, to: number): DenseArray {
  const row = a.data.length / a.dims[0];
  return { dims: [to - from, ...a.dims.slice(1)], data: a.data.slice(from * row, to * row) };
}

describe('a batch in parts has the loss and the gradients of the whole', () => {
  it.each([
    'bert-aurora',
    'vit-aurora',
    'llama-aurora',
    'more/t5',
    'more/t5-encoder',
    'more/gpt2-classifier',
    'more/vit',
    'more/swin',
    'more/deberta',
    'more/conformer',
    'more/roberta-sdpa-mse',
  ])('%s', async (name) => {
    const { case: c, modelPath } = modelFile(`${name}.json`);
    const model = prepareModel(loadModel(modelPath));
    const infos = await probe(model, undefined, [shapesOf(c.inputs)]);
    const { stepper } = await openTask(model, infos, caseTask(model, c), join(folder, name));
    const parameters = caseParameters(c);
    const part = (from: number, to: number): HostTensors => {
      const inputs = Object.entries(c.inputs).map(([key, a]) => [key, slice(a, from, to)]);
      const labels = slice(c.labels, from, to);
      return caseFeeds(model, c, { inputs: Object.fromEntries(inputs), labels });
    };
    const examples = c.labels.dims[0];
    const { count } = await stepper.evaluate(part(0, examples), parameters);
    const whole = await stepper.step(part(0, examples), parameters, 1 / count);
    const unit = Math.max(...[...whole.gradients.values()].flatMap((g) => [...g].map(Math.abs)));
    expect(unit).toBeGreaterThan(0);
    for (const size of [1, 2]) {
      let loss = 0;
      const sums = new Map(
        [...whole.gradients].map(([key, g]) => [key, new Float64Array(g.length)] as const),
      );
      for (let at = 0; at < examples; at += size) {
        const r = await stepper.step(part(at, Math.min(at + size, examples)), parameters, 1 / count);
        loss += r.lossSum;
        for (const [key, g] of r.gradients) g.forEach((x, i) => (sums.get(key)![i] += x));
      }
      expect(Math.abs(loss / whole.lossSum - 1)).toBeLessThan(1e-5);
      for (const [key, g] of whole.gradients) {
        const sum = sums.get(key)!;
        const error = g.reduce((e, x, i) => Math.max(e, Math.abs(x - sum[i])), 0);
        expect(error / unit, key).toBeLessThan(1e-5);
      }
    }
    await stepper.dispose();
  });
});
