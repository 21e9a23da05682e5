import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelSource, requireTextToImage } from '../../../../src/architectures/model-source';
import { loadTextEncoder, loadVaeEncoder } from '../../../../src/architectures/pipeline';
import { loadPromptTokenizer } from '../../../../src/data/text/prompt-tokenizer';
import { openSession } from '../../../../src/engine/onnxruntime/session';
import { DType } from '../../../../src/graph/dtype';
import { saveByReference } from '../../../../src/graph/file/save';
import type { Model } from '../../../../src/graph/model';
import { encodePipeline } from '../../../../src/training/diffusion/encode-pipeline';
import type { ToEncode } from '../../../../src/training/diffusion/encoded';
import { promptInputs } from '../../../../src/training/diffusion/encode-data';
import { prepareImage } from '../../../../src/training/diffusion/encode-images';
import { png } from '../../../png';
import { scratchFolder } from '../../../scratch';

const fixture = (name: string) => join(import.meta.dirname, '../../../fixtures/diffusers', name);
const scratch = scratchFolder('encode');
const pictureOf = (shade: number) => ({
  bytes: png(40, 24, (x, y) => [5 * x, 9 * y, shade]),
  name: `shade ${shade}`,
});
const PROMPTS = ['a photo of a dog', 'a dog'];

let calls = 0;
const options = (name: string) => ({
  keep: join(scratch, name),
  folder: join(scratch, `graphs-${calls++}`),
  threads: 1,
});

const wanted = (more: Partial<ToEncode> = {}): ToEncode => ({
  images: [pictureOf(0), pictureOf(200)],
  prompts: PROMPTS,
  resolution: 16,
  centerCrop: true,
  seed: 3,
  ...more,
});

/** All outputs of a component, computed apart. */
async function outputsOf(model: Model, feeds: Parameters<Awaited<ReturnType<typeof openSession>>['run']>[0]) {
  const session = await openSession(saveByReference(model, join(scratch, `apart-${calls++}`), 'model.onnx'));
  const out = await session.run(feeds);
  await session.dispose();
  return out;
}

async function idsOf(tokenizer: string, prompt: string) {
  const { ids } = loadPromptTokenizer(tokenizer, 77).encode(prompt);
  return { input_ids: { dtype: DType.int64, dims: [1, ids.length], data: BigInt64Array.from(ids, BigInt) } };
}

const apart = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a).toHaveLength(b.length);
  return Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)));
};

describe.each(['sd', 'sdxl'])('what the encoders of %s make', (name) => {
  const pipeline = requireTextToImage(modelSource(fixture(name)));

  it('is that of the whole models', async () => {
    const encoded = (await encodePipeline(pipeline, wanted(), options(name)))!;
    const { factor, latentChannels } = pipeline.vae;
    expect(encoded.latentShape).toEqual([latentChannels, 16 / factor, 16 / factor]);
    const vae = loadVaeEncoder(pipeline.vae.encoder);
    for (const [i, source] of wanted().images.entries()) {
      const { pixels, timeIds } = await prepareImage(
        source,
        16,
        'center',
        pipeline.isXl ? 'lanczos' : 'bilinear',
      );
      const { latent_parameters } = await outputsOf(vae, {
        sample: { dtype: DType.float, dims: [1, 3, 16, 16], data: pixels },
      });
      expect(apart(encoded.latents(i), latent_parameters!.data as Float32Array)).toBeLessThan(1e-5);
      expect(encoded.timeIds(i)).toEqual(timeIds);
      expect(timeIds.slice(0, 2)).toEqual([24, 40]);
    }
    for (const prompt of PROMPTS) {
      const parts = await Promise.all(
        pipeline.textEncoders.map(async ({ model, tokenizer }) =>
          outputsOf(loadTextEncoder(model), await idsOf(tokenizer, prompt)),
        ),
      );
      const hidden = parts.map((out) => {
        const layers = Object.keys(out).filter((key) => key.startsWith('hidden_states.')).length;
        return out[pipeline.isXl ? `hidden_states.${layers - 2}` : 'last_hidden_state']!;
      });
      const { hidden: found, tokens, width, pooled } = encoded.embedding(prompt);
      expect(tokens).toBe(77);
      expect(width).toBe(hidden.reduce((sum, { dims }) => sum + dims[2]!, 0));
      for (const row of [0, 5, 76]) {
        const side = hidden.flatMap(({ data, dims }) =>
          Array.from(data as Float32Array).slice(row * dims[2]!, (row + 1) * dims[2]!),
        );
        expect(apart(found.subarray(row * width, (row + 1) * width), side)).toBeLessThan(1e-5);
      }
      if (pipeline.isXl)
        expect(apart(pooled!, parts[1]!.text_embeds!.data as Float32Array)).toBeLessThan(1e-5);
      else expect(pooled).toBeUndefined();
    }
  });

  it('is computed once, and again where anything has changed', async () => {
    const keep = `${name}-again`;
    const encode = async (more: Partial<ToEncode> = {}) => {
      const before = new Set(readdirSync(scratch).includes(keep) ? readdirSync(join(scratch, keep)) : []);
      const encoded = (await encodePipeline(pipeline, wanted(more), options(keep)))!;
      const files = readdirSync(join(scratch, keep));
      return { encoded, added: files.filter((file) => !before.has(file)).length };
    };
    const texts = 2 * pipeline.textEncoders.length;
    const first = await encode();
    expect(first.added).toBe(2 + texts);
    const second = await encode();
    expect(second.added).toBe(0);
    expect(second.encoded.latents(1)).toEqual(first.encoded.latents(1));
    expect(second.encoded.embedding('a dog')).toEqual(first.encoded.embedding('a dog'));
    expect((await encode({ images: [pictureOf(200), pictureOf(1)] })).added).toBe(1);
    expect((await encode({ prompts: [...PROMPTS, 'a cat'] })).added).toBe(texts / 2);
    expect((await encode({ resolution: 32 })).added).toBe(2);
    expect((await encode({ centerCrop: false })).added).toBe(2);
    expect((await encode({ centerCrop: false, seed: 4 })).added).toBe(2);
    // A damaged file counts as missing, and is replaced.
    for (const file of readdirSync(join(scratch, keep))) writeFileSync(join(scratch, keep, file), 'x');
    expect((await encode()).encoded.latents(1)).toEqual(first.encoded.latents(1));
  });
});

describe('encoding', () => {
  const pipeline = requireTextToImage(modelSource(fixture('sd')));

  it('crops an image at the same place, whatever else there is', async () => {
    const anywhere = { ...wanted({ centerCrop: false }), prompts: [] };
    const images = [0, 1, 2, 3].map(pictureOf);
    const all = (await encodePipeline(pipeline, { ...anywhere, images }, options('crop')))!;
    const last = { ...anywhere, images: images.slice(3) };
    const alone = (await encodePipeline(pipeline, last, options('crop-alone')))!;
    expect(alone.timeIds(0)).toEqual(all.timeIds(3));
    expect(alone.latents(0)).toEqual(all.latents(3));
    expect(new Set(images.map((_, i) => all.timeIds(i).join())).size).toBeGreaterThan(1);
  });

  it('ends once it is stopped, and continues from there', async () => {
    const seen: [number, number][] = [];
    const opened = options('stopped');
    const stopped = () => seen.length === 1;
    const progress = (done: number, of: number) => void seen.push([done, of]);
    expect(await encodePipeline(pipeline, wanted(), { ...opened, stopped, progress })).toBeUndefined();
    expect(seen).toEqual([[1, 4]]);
    expect(readdirSync(opened.keep)).toHaveLength(1);
    expect(await encodePipeline(pipeline, wanted(), { ...opened, progress })).toBeDefined();
    expect(seen.slice(1)).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 4],
    ]);
  });

  it('knows prompts that are too long for the text encoder', () => {
    const { isCut } = promptInputs(pipeline, []);
    expect(['a', 'dog '.repeat(100)].map(isCut)).toEqual([false, true]);
  });

  it('has no embedding of a prompt that it was not given', async () => {
    const encoded = await encodePipeline(pipeline, wanted({ images: [], prompts: ['a'] }), options('one'));
    expect(() => encoded!.embedding('never seen')).toThrow('was not encoded');
  });

  it('refuses a resolution that the autoencoder does not have', async () => {
    await expect(encodePipeline(pipeline, wanted({ resolution: 12 }), options('size'))).rejects.toThrow(
      'makes one latent of 8 × 8 pixels',
    );
  });
});
