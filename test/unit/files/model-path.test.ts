import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelFile, modelFileLater, modelKind, modelPath } from '../../../src/files/model-path';

describe('the path of a model', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'aurora-model-path-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const both = async (path: string) => {
    expect(await modelFileLater(path)).toBe(modelFile(path));
    return modelFile(path);
  };

  it('stands for model_index.json if the folder is a pipeline', async () => {
    writeFileSync(join(folder, 'model_index.json'), '{}');
    const index = join(folder, 'model_index.json');
    expect(await both(folder)).toBe(index);
    expect(await both(index)).toBe(index);
    expect([modelKind(index), modelPath(index)]).toEqual(['pipeline', folder]);
  });

  it('stands for config.json in any other folder, a component of a pipeline among them', async () => {
    const unet = join(folder, 'unet');
    mkdirSync(unet);
    const config = join(unet, 'config.json');
    expect(await both(unet)).toBe(config);
    expect([modelKind(config), modelPath(config)]).toEqual(['hub', unet]);
  });

  it('is that of the file if there is one', async () => {
    const file = join(folder, 'model.onnx');
    writeFileSync(file, '');
    expect(await both(file)).toBe(file);
    expect([modelKind(file), modelPath(file)]).toEqual(['onnx', file]);
  });
});
