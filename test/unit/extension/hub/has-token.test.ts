import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { environmentHasToken } from '../../../../src/extension/hub/host';
import { temporaryFolders } from '../../runs/folder';

const folder = temporaryFolders();

it('knows before publishing whether there is a token in the environment', async () => {
  const home = folder();
  const env = { HF_HOME: join(home, 'hf') };
  expect(await environmentHasToken(env)).toBe(false);
  expect(await environmentHasToken({ ...env, HF_TOKEN: ' \n' })).toBe(false);
  expect(await environmentHasToken({ ...env, HF_TOKEN: 'hf_a' })).toBe(true);
  expect(await environmentHasToken({ ...env, HUGGING_FACE_HUB_TOKEN: 'hf_a' })).toBe(true);
  mkdirSync(env.HF_HOME);
  writeFileSync(join(env.HF_HOME, 'token'), '\n');
  expect(await environmentHasToken(env)).toBe(false);
  writeFileSync(join(env.HF_HOME, 'token'), 'hf_a\n');
  expect(await environmentHasToken(env)).toBe(true);
  expect(await environmentHasToken({ ...env, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' })).toBe(false);
  expect(await environmentHasToken({ ...env, HF_TOKEN_PATH: join(home, 'other') })).toBe(false);
});
