import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource, requireTextToImage } from '../../../src/architectures/model-source';
import { loadTextEncoder, loadVaeDecoder, loadVaeEncoder } from '../../../src/architectures/pipeline';
import { decodeImage } from '../../../src/data/images/decode-image';
import type { SamplerName } from '../../../src/experiment/pictures';
import { encodeSafetensors, type FloatTensor } from '../../../src/graph/file/safetensors';
import { saveModel } from '../../../src/graph/file/save';
import type { DrawingSettings, PlaySource } from '../../../src/protocol/play-question';
import type { PlayLine, PlayRequest } from '../../../src/protocol/playground';
import { Player } from '../../../src/inference/player';
import { scratchFolder } from '../../scratch';

const fixture = (name: string) => join(import.meta.dirname, '../../fixtures/diffusers', name);
const scratch = scratchFolder('drawing');
let players: Player[] = [];
let requests = 0;

afterEach(async () => {
  for (const player of players) await player.receive({ kind: 'unload', subject: '1' });
  players = [];
});

/** A loaded pipeline, and all that the player has said. */
async function open(source: PlaySource, base = true) {
  const lines: PlayLine[] = [];
  const heard: { on: (line: PlayLine) => void } = { on: () => undefined };
  const emit = (line: PlayLine) => {
    lines.push(line);
    heard.on(line);
  };
  const player = new Player(emit, { folder: join(scratch, `player-${players.length}`), threads: 1 });
  players.push(player);
  await player.load('1', source, base);
  return { player, lines, heard };
}

const pipeline = (name: string, adapter?: string): PlaySource => ({
  kind: 'model',
  model: fixture(name),
  adapter,
});

const settings = (more: Partial<DrawingSettings> = {}): DrawingSettings => ({
  steps: 3,
  guidance: 3,
  sampler: 'ddim',
  seed: 1,
  width: 32,
  height: 32,
  ...more,
});

type Draw = Extract<PlayRequest, { kind: 'draw' }>;
const request = (text: string, more: Partial<DrawingSettings> = {}, negative?: string): Draw => ({
  kind: 'draw',
  request: ++requests,
  text,
  negative,
  settings: settings(more),
});

const picturesOf = (lines: readonly PlayLine[], { request }: Draw) =>
  lines.filter((line) => line.kind === 'picture').filter((line) => line.request === request);

/** The pixels of each variant's picture, in answering order. */
async function drawn({ player, lines }: Awaited<ReturnType<typeof open>>, asked: Draw) {
  await player.receive(asked);
  expect(lines.filter((line) => line.kind === 'problem')).toEqual([]);
  const images = picturesOf(lines, asked).map(({ png }) => decodeImage(Buffer.from(png, 'base64'), 'it'));
  return Promise.all(images);
}

const apart = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a).toHaveLength(b.length);
  return Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)));
};

interface Reference extends Omit<DrawingSettings, 'sampler'> {
  sampler: SamplerName;
  text: string;
  negative: string | null;
  rgb: string;
}

describe('a pipeline in the playground', () => {
  it.each(['sd', 'sdxl'])('draws what PyTorch draws with %s from the published formulas', async (name) => {
    const of = JSON.parse(readFileSync(fixture(`${name}-picture.json`), 'utf8')) as Reference;
    const { text, negative, rgb, ...given } = of;
    const opened = await open(pipeline(name));
    const [image] = await drawn(opened, request(text, given, negative ?? undefined));
    expect(image).toMatchObject({ width: of.width, height: of.height });
    // Rounded to bytes in float32 here, in float64 there.
    expect(apart(image!.data, Buffer.from(rgb, 'base64'))).toBeLessThanOrEqual(1);
  });

  it('says what it draws with, and each step', async () => {
    const opened = await open(pipeline('sd'));
    expect(opened.lines[1]).toMatchObject({
      kind: 'loaded',
      input: 'text',
      answer: 'picture',
      name: 'sd',
      samples: false,
      drawing: { width: 64, height: 64, steps: 25, guidance: 7.5, sampler: 'ddim' },
    });
    const asked = request('a dog');
    await drawn(opened, asked);
    const of = { request: asked.request, subject: '1', variant: 'adapted' };
    expect(opened.lines.slice(2)).toMatchObject([
      ...[1, 2, 3].map((step) => ({ kind: 'drawing', ...of, step, of: 3 })),
      { kind: 'picture', ...of, width: 32, height: 32 },
      { kind: 'answered', request: asked.request },
    ]);
  });

  it('draws the same picture of the same settings, and another of others', async () => {
    const opened = await open(pipeline('sdxl'));
    const first = (await drawn(opened, request('a dog')))[0]!.data;
    expect((await drawn(opened, request('a dog')))[0]!.data).toEqual(first);
    for (const other of [
      request('a cat'),
      request('a dog', { seed: 2 }),
      request('a dog', { guidance: 1 }),
      request('a dog', { sampler: 'euler' }),
      request('a dog', { steps: 4 }),
      request('a dog', {}, 'a cat'),
    ])
      expect(apart((await drawn(opened, other))[0]!.data, first)).toBeGreaterThan(0);
    // An empty negative prompt is none: zeros, as SDXL was trained.
    expect((await drawn(opened, request('a dog', {}, '')))[0]!.data).toEqual(first);
  });

  it('stops between two steps', async () => {
    const opened = await open(pipeline('sd'));
    const asked = request('a dog', { steps: 50 });
    opened.heard.on = (line) => {
      if (line.kind === 'drawing' && line.step === 2)
        void opened.player.receive({ kind: 'stop', request: asked.request });
    };
    await opened.player.receive(asked);
    const steps = opened.lines.filter((line) => line.kind === 'drawing');
    expect(steps.map(({ step }) => step)).toEqual([1, 2]);
    expect(opened.lines.at(-1)).toEqual({ kind: 'answered', request: asked.request });
    expect(picturesOf(opened.lines, asked)).toEqual([]);
    expect(await drawn(opened, request('a dog'))).toHaveLength(1);
  });

  it.each([
    [request('a dog', { steps: 1000 }), 'cannot be drawn in 1000 steps'],
    [request('a dog', { width: 36 }), 'makes one latent of 8 × 8'],
    [{ kind: 'predict', request: 99_999, text: 'a dog' } as const, 'This model draws pictures.'],
  ])('reports what it cannot do and continues: %o', async (asked, message) => {
    const opened = await open(pipeline('sd'));
    await opened.player.receive(asked);
    const problems = opened.lines.filter((line) => line.kind === 'problem');
    expect(problems).toMatchObject([{ request: asked.request, message: expect.stringContaining(message) }]);
    opened.lines.splice(0);
    expect(await drawn(opened, request('a dog'))).toHaveLength(1);
  });
});

/** A LoRA in diffusers' layout with large weights, on one module of each component that is given. */
function loraFile(name: string, modules: Record<string, [outputs: number, inputs: number]>): string {
  const tensors = new Map<string, FloatTensor>();
  for (const [path, [outputs, inputs]] of Object.entries(modules)) {
    const values = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i + 1));
    tensors.set(`${path}.lora_A.weight`, { dims: [2, inputs], data: values(2 * inputs) });
    tensors.set(`${path}.lora_B.weight`, { dims: [outputs, 2], data: values(2 * outputs) });
  }
  const path = join(scratch, `${name}.safetensors`);
  writeFileSync(path, encodeSafetensors(tensors));
  return path;
}

const UNET = 'unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_q';
const TEXTS = 'text_encoder.text_model.encoder.layers.0.self_attn.q_proj';

describe('a pipeline with an adapter', () => {
  it.each([
    ['of the U-Net', { [UNET]: [8, 8] }],
    ['also of the text encoder', { [UNET]: [8, 8], [TEXTS]: [16, 16] }],
  ] as const)('%s draws beside the base model, with the same noise', async (name, modules) => {
    const adapter = loraFile(name.replaceAll(' ', '-'), modules as never);
    const opened = await open(pipeline('sd', adapter));
    expect(opened.lines[1]).toMatchObject({ name: `sd + ${adapter.split('/').at(-1)}`, base: 'model' });
    const asked = request('a photo of a dog', {}, 'a cat');
    const [adapted, base] = await drawn(opened, asked);
    expect(picturesOf(opened.lines, asked).map(({ variant }) => variant)).toEqual(['adapted', 'base']);
    expect(apart(adapted!.data, base!.data)).toBeGreaterThan(8);
    const plain = await open(pipeline('sd'));
    const [alone] = await drawn(plain, request('a photo of a dog', {}, 'a cat'));
    expect(apart(base!.data, alone!.data)).toBeLessThanOrEqual(1);
  });

  it('draws alone without its base', async () => {
    const opened = await open(pipeline('sd', loraFile('alone', { [UNET]: [8, 8] })), false);
    expect(await drawn(opened, request('a dog'))).toHaveLength(1);
    expect(opened.lines[1]).not.toHaveProperty('base', 'model');
  });

  it('is refused if it belongs to another model', async () => {
    const adapter = loraFile('other', { [UNET]: [64, 64] });
    await expect(open(pipeline('sd', adapter))).rejects.toThrow(/to_q/);
  });
});

/** A pipeline in the layout of Optimum's exports. */
function exported(name: string): string {
  const folder = join(scratch, `${name}-onnx`);
  const pipeline = requireTextToImage(modelSource(fixture(name)));
  const others = (path: string) => !/\.safetensors$/.test(path);
  cpSync(fixture(name), folder, { recursive: true, filter: others });
  for (const half of ['vae_encoder', 'vae_decoder'])
    cpSync(join(fixture(name), 'vae'), join(folder, half), { recursive: true, filter: others });
  rmSync(join(folder, 'vae'), { recursive: true });
  const parts = {
    unet: loadModelFrom(pipeline),
    vae_encoder: loadVaeEncoder(pipeline.vae.encoder),
    vae_decoder: loadVaeDecoder(pipeline.vae.decoder),
    ...Object.fromEntries(pipeline.textEncoders.map((of) => [of.name, loadTextEncoder(of.model)])),
  };
  for (const [part, model] of Object.entries(parts)) saveModel(model, join(folder, part, 'model.onnx'));
  return folder;
}

describe.each(['sd', 'sdxl'])('ONNX files of %s', (name) => {
  it('draw the same picture', async () => {
    const asked = () => request('a photo of a dog', { sampler: 'euler', steps: 4 });
    const [published] = await drawn(await open(pipeline(name)), asked());
    const [onnx] = await drawn(await open({ kind: 'model', model: exported(name) }), asked());
    expect(apart(onnx!.data, published!.data)).toBeLessThanOrEqual(1);
  });
});

describe('files of a player', () => {
  it('are gone once its pipeline is unloaded', async () => {
    const folder = join(scratch, 'gone');
    const player = new Player(() => undefined, { folder, threads: 1 });
    await player.load('1', pipeline('sd'));
    await player.receive(request('a dog'));
    await player.receive({ kind: 'unload', subject: '1' });
    expect(readdirSync(folder)).toEqual([]);
  });
});
