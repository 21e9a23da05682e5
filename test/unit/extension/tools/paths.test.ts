import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { inWorkspace } from '../../../../src/extension/tools/input';
import { temporaryFolders } from '../../runs/folder';

const folder = temporaryFolders();

it('a tool reads only what is in the workspace, also through links', async () => {
  const [workspace, elsewhere] = [folder(), folder()];
  mkdirSync(join(workspace, 'models'));
  const model = join(workspace, 'models', 'm.onnx');
  const secret = join(elsewhere, 'secret.onnx');
  for (const file of [model, secret]) writeFileSync(file, '');
  symlinkSync(elsewhere, join(workspace, 'link'));

  expect(await inWorkspace([workspace], 'models/m.onnx')).toBe(model);
  expect(await inWorkspace([workspace], model)).toBe(model);
  // As VS Code names it in a workspace of several folders.
  expect(await inWorkspace([elsewhere, workspace], `${basename(workspace)}/models/m.onnx`)).toBe(model);
  for (const given of [
    secret,
    'link/secret.onnx',
    `../${basename(elsewhere)}/secret.onnx`,
    '/etc/passwd',
    '..',
  ])
    await expect(inWorkspace([workspace], given)).rejects.toThrow(/is outside the workspace/);
  await expect(inWorkspace([workspace], 'models/n.onnx')).rejects.toThrow(/There is no models\/n\.onnx/);
  await expect(inWorkspace([], 'm.onnx')).rejects.toThrow(/There is no m\.onnx/);
});
