import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { cachedData, cachedModels } from '../../../../src/extension/models/hub-cached';
import { draftName } from '../../../../src/extension/wizard/draft';
import { defaultAdapter } from '../../../../src/recipes/draft';
import { scratchFolder } from '../../../scratch';

const C = '0123456789abcdef0123456789abcdef01234567';
const cache = scratchFolder('cached');
const at = (repo: string, path: string) => join(cache, repo, 'snapshots', C, path);

function file(repo: string, path: string): string {
  const to = at(repo, path);
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, '');
  return to;
}

test('the cache is listed by what can be trained on: whole models, and data files that belong together as one', async () => {
  for (const path of ['config.json', 'model.safetensors']) file('models--org--whole', path);
  for (const path of ['config.json', 'tokenizer.json']) file('models--org--none', path);
  file('models--org--gone', 'config.json');
  symlinkSync('../../blobs/missing', at('models--org--gone', 'model.safetensors'));
  const onnx = file('models--org--onnx', 'onnx/model.onnx');
  const parts = ['model_index.json', 'text_encoder/model.onnx', 'unet/config.json'];
  for (const path of [...parts, 'unet/diffusion_pytorch_model.safetensors'])
    file('models--org--pipeline', path);
  for (const path of parts) file('models--org--interrupted', path);
  const [whole, pipeline] = ['whole', 'pipeline'].map((name) =>
    at(`models--org--${name}`, '.').replace(/\/\.$/, ''),
  );
  expect(await cachedModels(cache)).toEqual([onnx, pipeline, whole].sort());

  const one = file('datasets--org--a', 'rte/train/0000.parquet');
  for (const path of ['rte/big/0000.parquet', 'rte/big/0001.parquet']) file('datasets--org--a', path);
  // An interrupted download: the first file comes last.
  for (const path of ['rte/half/0001.parquet', 'rte/half/0002.parquet']) file('datasets--org--a', path);
  for (const n of [0, 1]) file('datasets--org--b', `data/train-0000${n}-of-00002.parquet`);
  file('datasets--org--b', 'README.md');
  expect(await cachedData(cache)).toEqual([
    at('datasets--org--a', 'rte/big/*.parquet'),
    one,
    at('datasets--org--b', 'data/train-*-of-00002.parquet'),
  ]);
  expect(await cachedModels(join(cache, 'nowhere'))).toEqual([]);
});

test('an experiment on data of the hub is named after the configuration, or after the repository', () => {
  const named = (repo: string, path: string) =>
    draftName({ train: at(repo, path), adapter: defaultAdapter('aurora') });
  expect(named('datasets--nyu-mll--glue', 'rte/train/0000.parquet')).toBe('rte-aurora');
  expect(named('datasets--timm--eurosat-rgb', 'default/train/*.parquet')).toBe('eurosat-rgb-aurora');
  expect(named('datasets--org--texts', 'data/train.csv')).toBe('texts-aurora');
});
