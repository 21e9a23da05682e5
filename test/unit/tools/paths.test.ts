import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { experimentIn, inWorkspace, outsideInputs, requireOwnInputs } from '../../../src/tools/workspace';
import { spec } from '../extension/run-maker';
import { temporaryFolders } from '../runs/folder';

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

it('an experiment is a file of the workspace that is called one', async () => {
  const workspace = { folders: [folder()], shown: (path: string) => path };
  writeFileSync(join(workspace.folders[0]!, 'train.csv'), '');
  await expect(experimentIn(workspace, 'train.csv')).rejects.toThrow('train.csv is not an experiment file.');
});

describe('the files that an experiment names', () => {
  const setUp = () => {
    const [home, elsewhere] = [folder(), folder()];
    const shown = (path: string) => basename(path);
    const named = (train: string, model = join(home, 'm.onnx')) => ({
      ...spec,
      model: { ...spec.model, path: model, tokenizer: join(home, 'tokenizer.json') },
      data: { ...spec.data, train },
    });
    return { home, elsewhere, named, workspace: { folders: [home], shown } };
  };

  it('may be in the workspace, also before they exist', async () => {
    const { home, named, workspace } = setUp();
    expect(await outsideInputs(workspace, named(join(home, 'data', 'train.jsonl')))).toEqual([]);
  });

  it('may not be outside, by their path or by a link, and are named', async () => {
    const { home, elsewhere, named, workspace } = setUp();
    writeFileSync(join(elsewhere, 'secret.csv'), '');
    symlinkSync(join(elsewhere, 'secret.csv'), join(home, 'train.csv'));
    for (const path of [
      join(elsewhere, 'secret.csv'),
      join(home, 'train.csv'),
      join(home, '..', basename(elsewhere), 'secret.csv'),
      '/etc/passwd',
    ])
      expect(await outsideInputs(workspace, named(path)), path).toEqual([path]);
    await expect(requireOwnInputs(workspace, named(join(home, 'train.csv')))).rejects.toThrow(
      'train.csv is outside the workspace, so the experiment is not used.',
    );
  });

  it('may not be a link out of the workspace among the files of a pattern', async () => {
    const { home, elsewhere, named, workspace } = setUp();
    writeFileSync(join(elsewhere, 'part-1.csv'), '');
    writeFileSync(join(home, 'part-0.csv'), '');
    const pattern = join(home, 'part-*.csv');
    expect(await outsideInputs(workspace, named(pattern))).toEqual([]);
    symlinkSync(join(elsewhere, 'part-1.csv'), join(home, 'part-1.csv'));
    expect(await outsideInputs(workspace, named(pattern))).toEqual([pattern]);
  });

  it('may not be a link out of the workspace in a folder, such as that of a model', async () => {
    const { home, elsewhere, named, workspace } = setUp();
    const model = join(home, 'model');
    mkdirSync(join(model, 'parts'), { recursive: true });
    writeFileSync(join(elsewhere, 'secret.csv'), '');
    writeFileSync(join(home, 'train.csv'), '');
    expect(await outsideInputs(workspace, named(join(home, 'train.csv'), model))).toEqual([]);
    symlinkSync(join(elsewhere, 'secret.csv'), join(model, 'parts', 'config.json'));
    expect(await outsideInputs(workspace, named(join(home, 'train.csv'), model))).toEqual([model]);
  });

  it("may be in the hub's cache", async () => {
    const { home, elsewhere, named, workspace } = setUp();
    const before = process.env.HF_HUB_CACHE;
    process.env.HF_HUB_CACHE = elsewhere;
    try {
      const model = join(elsewhere, 'models--a--b', 'snapshots', '0123', 'config.json');
      expect(await outsideInputs(workspace, named(join(home, 'train.csv'), model))).toEqual([]);
    } finally {
      if (before === undefined) delete process.env.HF_HUB_CACHE;
      else process.env.HF_HUB_CACHE = before;
    }
  });
});
