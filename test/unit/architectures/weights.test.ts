import { existsSync, readdirSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { normal } from '../../../src/base/random';
import { convertWeights } from '../../../src/architectures/folder/converted';
import { readWeights } from '../../../src/architectures/folder/weight-files';
import { Weights } from '../../../src/architectures/folder/weights';
import { cacheFolder } from '../../../src/files/cache-folder';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { fromBfloat16, toBfloat16 } from '../../../src/graph/number-formats';
import { isFileRef, type Tensor } from '../../../src/graph/model';
import { tensorNumbers } from '../../../src/graph/values';
import { bertConfig, bertTensors, Folders, safetensors, type StoredType } from './folders';

const folders = new Folders();
// The user's cache stays as it is.
const before = process.env.XDG_CACHE_HOME;
process.env.XDG_CACHE_HOME = join(folders.root, 'user-cache');
afterAll(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  folders.remove();
});

/** One weight in a type, converted into a cache. */
function converted(dtype: StoredType, values: number[], cache: string): Tensor {
  const folder = folders.make({
    'model.safetensors': safetensors({
      first: { dims: [1], dtype, values: [1] },
      w: { dims: [values.length], dtype, values },
    }),
  });
  const weights = new Weights(readWeights(folder), folder, ['x.'], 'w');
  weights.get('first', [1]);
  const tensor = weights.get('w', [values.length]);
  convertWeights(weights.toConvert(), cache);
  return tensor;
}

describe('weights that are not float32', () => {
  const values = [0, -0, 1, -2.5, 0.0999755859375, 6.103515625e-5, Infinity];

  it.each(['F16', 'BF16'] as const)('of %s are converted exactly, into one file', (dtype) => {
    const cache = join(folders.root, `cache-${dtype}`);
    const exact = dtype === 'F16' ? values : values.filter((v) => v !== 0.0999755859375);
    expect(tensorNumbers(converted(dtype, exact, cache))).toEqual(exact);
    expect(readdirSync(cache)).toHaveLength(1);
  });

  it('are converted once for the same content, and again if the file was cut off', () => {
    const cache = join(folders.root, 'cache-again');
    const first = converted('F16', [1, 2], cache);
    if (!isFileRef(first.data)) throw new Error('It is in memory.');
    const { path } = first.data;
    const inode = statSync(path).ino;
    converted('F16', [1, 2], cache);
    expect([readdirSync(cache).length, statSync(path).ino]).toEqual([1, inode]);
    truncateSync(path, 6);
    expect(tensorNumbers(converted('F16', [1, 2], cache))).toEqual([1, 2]);
    converted('F16', [1, 3], cache);
    expect(readdirSync(cache)).toHaveLength(2);
  });

  it('are converted when a model is loaded, not when its structure is read', () => {
    const drawn = Object.entries(bertTensors()).map(([name, { dims }], k) => {
      const count = dims.reduce((a, b) => a * b, 1);
      const round = (_: unknown, i: number) => fromBfloat16(toBfloat16(normal(8, k, i)));
      return [name, { dims, values: Array.from({ length: count }, round) }] as const;
    });
    const all = drawn.map(([name, tensor]) => [name, { ...tensor, dtype: 'BF16' as const }] as const);
    const folder = folders.make({
      'config.json': bertConfig(),
      'model.safetensors': safetensors(Object.fromEntries(all)),
    });
    const cache = join(cacheFolder(), 'weights');
    const files = () => (existsSync(cache) ? readdirSync(cache).length : 0);
    expect([loadModelFrom(modelSource(folder), 'structure').graph.nodes.length > 10, files()]).toEqual([
      true,
      0,
    ]);
    const { initializers } = loadModelFrom(modelSource(folder)).graph;
    expect(files()).toBe(1);
    for (const [name, { values }] of drawn)
      expect(tensorNumbers(initializers.get(name.slice('bert.'.length))!)).toEqual(values);
  });

  it('leave no more than 16 files that were not used lately', () => {
    const cache = join(folders.root, 'cache-full');
    converted('F16', [1], cache);
    const old = new Date(Date.now() - 2 * 3_600_000);
    const names = Array.from({ length: 20 }, (_, i) => `${String(i).padStart(64, '0')}.weights`);
    for (const name of names) writeFileSync(join(cache, name), 'x');
    for (const name of names) utimesSync(join(cache, name), old, old);
    converted('F16', [2], cache);
    expect(readdirSync(cache)).toHaveLength(16);
  });
});

describe('the weights of a folder', () => {
  it('may be in several files, or under the names of the base model', () => {
    const all = Object.entries(bertTensors());
    const [a, b] = [all.slice(0, 5), all.slice(5)];
    const map = (tensors: typeof all, file: string) => tensors.map(([name]) => [name, file] as const);
    const sharded = folders.make({
      'config.json': bertConfig(),
      'a.safetensors': safetensors(Object.fromEntries(a)),
      'b.safetensors': safetensors(Object.fromEntries(b)),
      'model.safetensors.index.json': {
        weight_map: Object.fromEntries([...map(a, 'a.safetensors'), ...map(b, 'b.safetensors')]),
      },
    });
    const base = folders.make({
      'config.json': bertConfig(),
      'model.safetensors': safetensors(bertTensors('F32', '')),
    });
    const names = (folder: string) => [...loadModelFrom(modelSource(folder)).graph.initializers.keys()];
    expect(names(sharded)).toEqual(names(base));
    expect(names(sharded)).toContain('encoder.layer.0.attention.self.query.weight');
  });

  it('stay in their file if they are float32', () => {
    const folder = folders.make({
      'config.json': bertConfig(),
      'model.safetensors': safetensors(bertTensors()),
    });
    const { initializers } = loadModelFrom(modelSource(join(folder, 'config.json'))).graph;
    const data = initializers.get('embeddings.word_embeddings.weight')!.data;
    expect(isFileRef(data) && existsSync(data.path) && data.path.startsWith(folder)).toBe(true);
  });
});
