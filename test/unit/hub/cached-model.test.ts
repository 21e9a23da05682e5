import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { snapshotPath } from '../../../src/files/hub-cache';
import { isCached, isCachedLater } from '../../../src/runs/experiment/hub-references';
import { scratchFolder } from '../../scratch';

it('a model is cached if its config.json and weights are, and not if a link leads nowhere', async () => {
  const cache = scratchFolder('cached-model');
  const model = { kind: 'model', repo: 'a/b', revision: 'a'.repeat(40), path: '' } as const;
  const folder = snapshotPath(cache, model);
  const found = async (path = '') => {
    const ref = { ...model, path };
    return [isCached(ref, cache), await isCachedLater(ref, cache)];
  };
  expect(await found()).toEqual([false, false]);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), '{}');
  expect(await found()).toEqual([false, false]);
  expect(await found('config.json')).toEqual([true, true]);
  const weights = join(folder, 'model.safetensors');
  const blob = join(dirname(folder), 'blob');
  symlinkSync(blob, weights);
  expect(await found()).toEqual([false, false]);
  expect(await found('model.safetensors')).toEqual([false, false]);
  writeFileSync(blob, '');
  expect(await found()).toEqual([true, true]);
});
