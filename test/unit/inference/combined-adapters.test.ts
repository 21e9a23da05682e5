import { join } from 'node:path';
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeImage } from '../../../src/data/images/decode-image';
import { encodeSafetensors, type FloatTensor } from '../../../src/graph/file/safetensors';
import { Player } from '../../../src/inference/player';
import type { PlaySource } from '../../../src/protocol/play-question';
import type { PlayLine } from '../../../src/protocol/playground';
import { scratchFolder } from '../../scratch';

const SD = join(import.meta.dirname, '../../fixtures/diffusers/sd');
const scratch = scratchFolder('combined-adapters');
let players: Player[] = [];
let requests = 0;
let folders = 0;

afterEach(async () => {
  for (const player of players) await player.receive({ kind: 'unload', subject: '1' });
  players = [];
});

const Q = 'down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_q';
const OUT = 'mid_block.attentions.0.transformer_blocks.0.attn1.to_q';

interface Matrices {
  rank: number;
  size: number;
  seed: number;
}
const numbers = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + 1.7 * i));
const A = ({ rank, size, seed }: Matrices) => numbers(rank * size, seed);
const B = ({ rank, size, seed }: Matrices) => numbers(rank * size, 5 + seed);

function write(name: string, tensors: Map<string, FloatTensor>): string {
  const path = join(scratch, `${name}.safetensors`);
  writeFileSync(path, encodeSafetensors(tensors));
  return path;
}

/** A LoRA of diffusers. */
function ofDiffusers(name: string, modules: Record<string, Matrices>): string {
  const tensors = new Map<string, FloatTensor>();
  for (const [path, m] of Object.entries(modules)) {
    tensors.set(`unet.${path}.lora_A.weight`, { dims: [m.rank, m.size], data: A(m) });
    tensors.set(`unet.${path}.lora_B.weight`, { dims: [m.size, m.rank], data: B(m) });
  }
  return write(name, tensors);
}

/** One of kohya's scripts, with half of the rank as alpha. */
function ofKohya(name: string, modules: Record<string, Matrices>): string {
  const tensors = new Map<string, FloatTensor>();
  for (const [path, m] of Object.entries(modules)) {
    const own = `lora_unet_${path.replaceAll('.', '_')}`;
    tensors.set(`${own}.lora_down.weight`, { dims: [m.rank, m.size], data: A(m) });
    tensors.set(`${own}.lora_up.weight`, { dims: [m.size, m.rank], data: B(m) });
    tensors.set(`${own}.alpha`, { dims: [], data: Float32Array.of(m.rank / 2) });
  }
  return write(name, tensors);
}

/** One LoRA that is the sum of weighted ones: the ranks side by side, the factors in B. */
function sum(name: string, path: string, parts: readonly (Matrices & { factor: number })[]): string {
  const { size } = parts[0]!;
  const rank = parts.reduce((all, m) => all + m.rank, 0);
  const down = Float32Array.from(parts.flatMap((m) => [...A(m)]));
  const up = Float32Array.from({ length: size }).fill(0);
  const rows = [...up.keys()].flatMap((o) =>
    parts.flatMap((m) => [...B(m).subarray(o * m.rank, (o + 1) * m.rank)].map((v) => v * m.factor)),
  );
  return write(
    name,
    new Map([
      [`unet.${path}.lora_A.weight`, { dims: [rank, size], data: down }],
      [`unet.${path}.lora_B.weight`, { dims: [size, rank], data: Float32Array.from(rows) }],
    ]),
  );
}

async function open(source: Omit<Extract<PlaySource, { kind: 'model' }>, 'kind' | 'model'>) {
  const lines: PlayLine[] = [];
  const folder = join(scratch, `player-${folders++}`);
  mkdirSync(folder);
  const player = new Player((line) => void lines.push(line), { folder, threads: 1 });
  players.push(player);
  await player.load('1', { kind: 'model', model: SD, ...source });
  return { player, lines };
}

async function drawn({ player, lines }: Awaited<ReturnType<typeof open>>) {
  const request = ++requests;
  const settings = { steps: 3, guidance: 3, sampler: 'ddim', seed: 1, width: 32, height: 32 } as const;
  await player.receive({ kind: 'draw', request, text: 'a dog', settings });
  const pictures = lines.filter((line) => line.kind === 'picture').filter((l) => l.request === request);
  return Promise.all(
    pictures.map(async ({ png }) => (await decodeImage(Buffer.from(png, 'base64'), 'it')).data),
  );
}

const apart = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)));

describe('a pipeline with several adapters', () => {
  const one = { rank: 2, size: 8, seed: 1 };
  const two = { rank: 3, size: 8, seed: 9 };

  it('draws as with the sum of their weighted changes, and follows other weights', async () => {
    const first = ofDiffusers('first', { [Q]: one });
    const second = ofKohya('second', { [Q]: two });
    const opened = await open({ adapter: first, weight: 0.8, adapters: [{ path: second, weight: -0.6 }] });
    expect(opened.lines[1]).toMatchObject({
      kind: 'loaded',
      base: 'model',
      adapters: [
        { name: 'first.safetensors', weight: 0.8 },
        { name: 'second.safetensors', weight: -0.6 },
      ],
    });
    const pictureOf = async (name: string, a: number, b: number) => {
      // Half of the rank is kohya's alpha.
      const parts = [
        { ...one, factor: a },
        { ...two, factor: b / 2 },
      ];
      return (await drawn(await open({ adapter: sum(name, Q, parts) })))[0]!;
    };
    const [together, base] = await drawn(opened);
    expect(apart(together!, await pictureOf('sum', 0.8, -0.6))).toBeLessThanOrEqual(1);
    const [alone, without] = await drawn(await open({ adapter: first }));
    expect(apart(together!, alone!)).toBeGreaterThan(8);
    expect(apart(base!, without!)).toBeLessThanOrEqual(1);
    await opened.player.receive({ kind: 'weigh', subject: '1', weights: [0.2, 1] });
    const [changed] = await drawn(opened);
    expect(apart(changed!, await pictureOf('changed', 0.2, 1))).toBeLessThanOrEqual(1);
    expect(apart(changed!, together!)).toBeGreaterThan(1);
  });

  it('may adapt different layers', async () => {
    const adapters = [{ path: ofDiffusers('middle', { [OUT]: { rank: 1, size: 16, seed: 2 } }), weight: 1 }];
    const adapter = ofDiffusers('down', { [Q]: one });
    const [both] = await drawn(await open({ adapter, adapters }));
    const [alone] = await drawn(await open({ adapter }));
    expect(apart(both!, alone!)).toBeGreaterThan(1);
  });

  it('reports weights that do not fit', async () => {
    const adapter = ofDiffusers('fixed', { [Q]: one });
    const fixed = await open({ adapter });
    await fixed.player.receive({ kind: 'weigh', subject: '1', weights: [1] });
    expect(fixed.lines.at(-1)).toMatchObject({
      kind: 'problem',
      message: expect.stringContaining('is fixed'),
    });
    const opened = await open({ adapter, weight: 0.5 });
    await opened.player.receive({ kind: 'weigh', subject: '1', weights: [1, 2] });
    expect(opened.lines.at(-1)).toMatchObject({
      kind: 'problem',
      message: 'The number of weights is 2, and that of adapters 1.',
    });
  });

  it('is refused with one that does not fit the model', async () => {
    const adapter = ofDiffusers('fits', { [Q]: one });
    const other = ofKohya('wide', { [Q]: { ...one, size: 64 } });
    await expect(open({ adapter, adapters: [{ path: other, weight: 1 }] })).rejects.toThrow(/wide.*to_q/);
  });
});
