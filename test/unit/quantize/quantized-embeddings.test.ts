import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { modelSource } from '../../../src/architectures/model-source';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { loadModel } from '../../../src/graph/file/load';
import { saveModel } from '../../../src/graph/file/save';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { isFileRef, type Model } from '../../../src/graph/model';
import { quantizeModel } from '../../../src/quantize/quantize';
import { emptyGraph, generator, modelOf, symmetric } from '../autodiff/check';
import { host, runModel } from '../graph/onnx-models';

const [TOKENS, SIZE] = [40, 64];
const folder = mkdtempSync(join(tmpdir(), 'aurora-tables-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A decoder of nothing but its embedding, which its output layer shares. */
function tied(width = SIZE): string {
  const random = generator(3);
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  const data = Float32Array.from({ length: TOKENS * width }, () => symmetric(random));
  const table = g.addInitializer({
    name: 'embed_tokens.weight',
    dtype: DType.float,
    dims: [TOKENS, width],
    data: new Uint8Array(data.buffer),
  });
  const ids = g.addInput('input_ids', DType.int64, ['batch', 'sequence']);
  const x = g.op('Gather', [table, ids], {}, { name: '/embed_tokens/Gather', outputs: ['rows'] });
  const turned = g.op('Transpose', [table], { perm: [1, 0] });
  g.op('MatMul', [x, turned], {}, { name: '/lm_head/MatMul', outputs: ['logits'] });
  for (const name of ['rows', 'logits']) graph.outputs.push({ name, dtype: DType.float, shape: undefined });
  const path = join(folder, `tied-${width}.onnx`);
  saveModel({ ...modelOf(graph), opsets: new Map([['', 21]]) }, path);
  return path;
}

const ids = [3, 39, 0, 3];

async function run(model: Model): Promise<{ rows: Float32Array; logits: Float32Array }> {
  const found = await runModel(model, { input_ids: host([2, 2], ids, DType.int64) });
  return { rows: found.rows!.data as Float32Array, logits: found.logits!.data as Float32Array };
}

describe('embeddings that are named', () => {
  it.each([
    [4, true, 0.12],
    [4, false, 0.12],
    [8, true, 0.01],
    [8, false, 0.01],
  ] as const)(
    'have %i bits, symmetric: %s, and share the bytes of a tied layer',
    async (bits, symmetric, most) => {
      const out = join(folder, `both-${bits}-${symmetric}.onnx`);
      const result = quantizeModel(modelSource(tied()), out, { bits, blockSize: 32, symmetric }, [
        'embed_tokens',
        'lm_head',
      ]);
      expect(result.layers).toEqual(
        ['lm_head', 'embed_tokens'].map((path) => ({
          path,
          inFeatures: SIZE,
          outFeatures: TOKENS,
          error: expect.any(Number) as number,
        })),
      );
      const model = loadModel(out);
      const nodes = model.graph.nodes.map((n) => n.opType);
      expect(nodes).toEqual(['GatherBlockQuantized', 'MatMulNBits']);
      const [table, weight] = model.graph.nodes.map((n) => {
        const { data } = model.graph.initializers.get(n.inputs[n.opType === 'MatMulNBits' ? 1 : 0]!)!;
        return isFileRef(data) ? [data.offset, data.length] : undefined;
      });
      expect(table).toEqual([expect.any(Number), (TOKENS * SIZE * bits) / 8]);
      expect(weight).toEqual(table);

      const [layer] = findLinearLayers(model.graph);
      const values = layer!.dequantize!();
      const { rows, logits } = await run(model);
      expect([...rows]).toEqual(ids.flatMap((id) => [...values.subarray(id * SIZE, (id + 1) * SIZE)]));
      const plain = await run(loadModel(tied()));
      const error = Math.sqrt(
        rows.reduce((sum, v, i) => sum + (v - plain.rows[i]!) ** 2, 0) /
          plain.rows.reduce((sum, v) => sum + v ** 2, 0),
      );
      expect(error).toBeGreaterThan(0);
      expect(error).toBeLessThan(most);
      const [first] = logits;
      const product = values.subarray(0, SIZE).reduce((sum, v, i) => sum + v * rows[i]!, 0);
      expect(first).toBeCloseTo(product, 4);
    },
  );

  it('are quantized alone if the tied layer is not named', async () => {
    const out = join(folder, 'alone.onnx');
    const { layers } = quantizeModel(modelSource(tied()), out, { bits: 4, blockSize: 32, symmetric: true }, [
      'embed_tokens',
    ]);
    expect(layers.map((l) => l.path)).toEqual(['embed_tokens']);
    const model = loadModel(out);
    expect(model.graph.nodes.map((n) => n.opType)).toEqual(['GatherBlockQuantized', 'Transpose', 'MatMul']);
    expect((await run(model)).rows).toHaveLength(ids.length * SIZE);
  });

  it('are refused by name if blocks do not divide their rows', () => {
    const q = { bits: 4, blockSize: 32, symmetric: true } as const;
    expect(() =>
      quantizeModel(modelSource(tied(48)), join(folder, 'uneven.onnx'), q, ['embed_tokens']),
    ).toThrow('The embedding embed_tokens has rows of 48 values, which blocks of 32 do not divide.');
  });
});
