import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { selectAdapters } from '../../../../src/adapters/select';
import { adapterSpec, readReference, type DenseArray } from '../../../../src/cli/reference/case';
import { OBJECTIVES } from '../../../../src/engine/objective';
import { openTask } from '../../../../src/engine/open';
import { probe } from '../../../../src/engine/onnxruntime/probe';
import { findOutput, LABELS } from '../../../../src/engine/program';
import type { HostTensors } from '../../../../src/engine/engine';
import { findLinearLayers } from '../../../../src/graph/linear';
import { loadModel } from '../../../../src/graph/load';
import { prepareModel } from '../../../../src/graph/prepare';
import { tensorOf, tensorValues } from '../../../../src/graph/values';

const folder = mkdtempSync(join(tmpdir(), 'aurora-parts-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The examples from `from` up to `to`. */
function slice(a: DenseArray, dtype: number, from: number, to: number) {
  const row = a.data.length / a.dims[0];
  const dims = [to - from, ...a.dims.slice(1)];
  return { dtype, dims, data: tensorValues(tensorOf('', dtype, dims, a.data.slice(from * row, to * row))) };
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
    const file = readReference(resolve(`test/fixtures/reference/${name}.json`));
    if (file.kind === 'anl') throw new Error('Not a model.');
    const { case: c, modelPath } = file;
    const model = prepareModel(loadModel(modelPath));
    const shapes = Object.entries(c.inputs).map(([key, a]) => [key, a.dims] as const);
    const infos = await probe(model, undefined, [Object.fromEntries(shapes)]);
    const { adapters } = selectAdapters(model.graph, findLinearLayers(model.graph), adapterSpec(c));
    const head = c.head
      ? {
          pooling: c.head.pooling,
          classes: c.trainable[c.head.weight].dims[0],
          weight: c.head.weight,
          bias: c.head.bias,
        }
      : undefined;
    const output = findOutput(model, undefined, head !== undefined);
    const spec = { objective: c.objective, head, output, adapters };
    const { stepper } = await openTask(model, infos, spec, join(folder, name));
    const parameters = new Map(
      Object.entries(c.trainable).map(([key, a]) => [key, Float32Array.from(a.data)] as const),
    );
    const part = (from: number, to: number): HostTensors => ({
      ...Object.fromEntries(
        model.graph.inputs
          .filter((i) => c.inputs[i.name])
          .map((i) => [i.name, slice(c.inputs[i.name], i.dtype, from, to)]),
      ),
      [LABELS]: slice(c.labels, OBJECTIVES[c.objective].labels.dtype, from, to),
    });
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
