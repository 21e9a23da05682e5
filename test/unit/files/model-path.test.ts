import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isHubModel, isPipeline, modelFile, modelFileLater, modelPath } from '../../../src/files/model-path';

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
    expect([isHubModel(folder), isPipeline(folder), isPipeline(index)]).toEqual([true, true, true]);
    expect(modelPath(index)).toBe(folder);
  });

  it('stands for config.json in any other folder, a component of a pipeline among them', async () => {
    const unet = join(folder, 'unet');
    mkdirSync(unet);
    expect(await both(unet)).toBe(join(unet, 'config.json'));
    expect([isHubModel(unet), isPipeline(unet)]).toEqual([true, false]);
    expect(modelPath(join(unet, 'config.json'))).toBe(unet);
  });

  it('is that of the file if there is one', async () => {
    const file = join(folder, 'model.onnx');
    writeFileSync(file, '');
    expect(await both(file)).toBe(file);
    expect([isHubModel(file), isPipeline(file), modelPath(file)]).toEqual([false, false, file]);
  });
});
