import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource, requireTextToImage } from '../../../src/architectures/model-source';
import { seeingInputs } from '../../../src/files/inputs/open';
import { scratchFolder } from '../../scratch';

const FIXTURES = join(import.meta.dirname, '../../fixtures');
const scratch = scratchFolder('model-source');

describe('the source of a model', () => {
  it('is the file of an ONNX model, as it was named', () => {
    const file = join(FIXTURES, 'reference/bert.onnx');
    expect(modelSource(file)).toEqual({ kind: 'onnx', file });
    const named = relative(process.cwd(), file);
    expect(modelSource(named)).toEqual({ kind: 'onnx', file: named });
  });

  it('is the config.json of a folder from the hub, by either path', () => {
    const folder = join(FIXTURES, 'hf/bert');
    const source = { kind: 'hub', file: join(folder, 'config.json') };
    for (const path of [folder, source.file, relative(process.cwd(), folder)])
      expect(modelSource(path)).toEqual(source);
  });

  it('has the parts of a pipeline, by its folder or its model_index.json', () => {
    const folder = join(FIXTURES, 'diffusers/sd');
    const part = (name: string) => ({ kind: 'hub', file: join(folder, name, 'config.json') });
    const source = modelSource(folder);
    expect(source).toMatchObject({
      kind: 'pipeline',
      file: join(folder, 'model_index.json'),
      folder,
      isXl: false,
      unet: part('unet'),
      vae: { encoder: part('vae'), decoder: part('vae') },
      textEncoders: [
        { name: 'text_encoder', model: part('text_encoder'), tokenizer: join(folder, 'tokenizer') },
      ],
    });
    expect(modelSource(join(folder, 'model_index.json'))).toEqual(source);
    expect(requireTextToImage(source)).toBe(source);
  });

  it('has a pipeline whose parts are ONNX files', () => {
    const folder = join(FIXTURES, 'diffusers/sdxl-onnx');
    const part = (name: string) => ({ kind: 'onnx', file: join(folder, name, 'model.onnx') });
    expect(modelSource(folder)).toMatchObject({
      kind: 'pipeline',
      isXl: true,
      unet: part('unet'),
      vae: { encoder: part('vae_encoder'), decoder: part('vae_decoder') },
      textEncoders: [{ model: part('text_encoder') }, { model: part('text_encoder_2') }],
    });
  });

  it('is a hub folder for one component of a pipeline', () => {
    const unet = join(FIXTURES, 'diffusers/sd/unet');
    const source = modelSource(unet);
    expect(source).toEqual({ kind: 'hub', file: join(unet, 'config.json') });
    expect(() => requireTextToImage(source)).toThrow(
      `${join(unet, 'config.json')} is not a diffusers pipeline: it has no model_index.json.`,
    );
  });

  it('is refused for a folder that is none of them', () => {
    const folder = join(scratch, 'none');
    mkdirSync(folder);
    writeFileSync(join(folder, 'model.onnx'), '');
    expect(() => modelSource(folder)).toThrow(
      `${folder} is a folder without config.json, so it is not a model.`,
    );
  });

  it('of a missing path is left to the reader to report', () => {
    const file = join(scratch, 'missing.onnx');
    expect(modelSource(file)).toEqual({ kind: 'onnx', file });
    expect(() => loadModelFrom(modelSource(file))).toThrow(file);
    const config = join(scratch, 'missing/config.json');
    expect(modelSource(config)).toEqual({ kind: 'hub', file: config });
    expect(() => loadModelFrom(modelSource(config))).toThrow(`${config} cannot be read (ENOENT)`);
    expect(() => modelSource(join(scratch, 'missing/model_index.json'))).toThrow('cannot be read (ENOENT)');
  });

  it('is all that has to be read of a pipeline to know its parts', () => {
    const folder = join(scratch, 'pipeline');
    cpSync(join(FIXTURES, 'diffusers/sd'), folder, { recursive: true });
    const source = modelSource(folder);
    rmSync(join(folder, 'model_index.json'));
    const opened: string[] = [];
    seeingInputs(
      (path) => opened.push(relative(folder, path)),
      () => loadModelFrom(requireTextToImage(source), 'structure'),
    );
    expect(opened).toContain('unet/config.json');
    expect(opened).not.toContain('model_index.json');
  });
});
