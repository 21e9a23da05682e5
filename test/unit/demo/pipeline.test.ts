import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource, requireTextToImage } from '../../../src/architectures/model-source';
import { loadTextEncoder, loadVaeDecoder } from '../../../src/architectures/pipeline';
import { loadPromptTokenizer } from '../../../src/data/text/prompt-tokenizer';

const MODELS = join(import.meta.dirname, '../../../demo/models');
const PIPELINE = join(MODELS, 'fashion-pictures');

const size = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((f) => f.isFile())
    .reduce((sum, f) => sum + statSync(join(f.parentPath, f.name)).size, 0);

describe('the pipeline of the picture demo', () => {
  it('and its classifier stay small enough to commit', () => {
    expect(size(PIPELINE)).toBeLessThan(8e6);
    expect(size(join(MODELS, 'fashion-classifier'))).toBeLessThan(1e6);
  });

  it('is read as a pipeline with latents of a quarter of the height and width', () => {
    const pipeline = requireTextToImage(modelSource(PIPELINE));
    expect(pipeline).toMatchObject({ isXl: false, vae: { factor: 4, latentChannels: 4 } });
    expect(loadModelFrom(pipeline).graph.outputs[0]!.name).toBe('out_sample');
    expect(loadVaeDecoder(pipeline.vae.decoder).graph.inputs[0]!.name).toBe('latent_sample');
    expect(loadTextEncoder(pipeline.textEncoders[0]!.model).graph.inputs[0]!.name).toBe('input_ids');
  });

  it('gives captions the tokens that it was pretrained with', () => {
    const { encode } = loadPromptTokenizer(join(PIPELINE, 'tokenizer'), 16);
    const padded = (...ids: number[]) => [...ids, ...Array<number>(16 - ids.length).fill(581)];
    // From scripts/pretrain/picture_data.py.
    const captions = {
      'a photo of a t-shirt': padded(580, 320, 545, 512, 320, 339, 268, 522),
      'an ankle boot on a black background': padded(580, 514, 555, 558, 544, 320, 533, 531),
      'a photo of a bag': padded(580, 320, 545, 512, 320, 65, 64, 326),
      '': padded(580),
    };
    for (const [caption, ids] of Object.entries(captions))
      expect([...encode(caption).ids], caption).toEqual(ids);
  });
});
