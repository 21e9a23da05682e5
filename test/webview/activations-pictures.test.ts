import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  encodeSnapshot,
  NO_SAMPLE,
  SAMPLES_PER_BIN,
  type LayerSnapshot,
} from '../../src/protocol/activations';
import { THUMBNAIL } from '../../src/protocol/predictions';
import { runPaths, stepName } from '../../src/runs/layout';
import { cards, wire, type Wired } from './activations-fixture';
import { closePages, LOOKS } from './harness';
import { expectSoundInAllLooks } from './sound';

const EXAMPLES = 2;
const BINS = 8;
const BIN = 4;
const BLOCK = 'down_blocks.0.attentions.0.transformer_blocks.0';
/** By layer: tokens of an example, and the token that landed in the bin. The prompt has as many as the coarser level. */
const LAYERS: Record<string, [tokens: number, token: number]> = {
  [`${BLOCK}.attn1.to_q`]: [64, 10],
  [`${BLOCK}.attn2.to_k`]: [16, 3],
  'mid_block.attentions.0.transformer_blocks.0.attn1.to_q': [16, 6],
};

function layer(path: string): LayerSnapshot {
  const [tokens, token] = LAYERS[path]!;
  const counts = new Uint32Array(BINS + 2);
  counts[BIN] = tokens * EXAMPLES;
  const samples = new Uint32Array((BINS + 2) * SAMPLES_PER_BIN * 2).fill(NO_SAMPLE);
  samples.set([1, token], BIN * SAMPLES_PER_BIN * 2);
  const none = new Float32Array();
  return {
    path,
    rank: 1,
    range: [-1, 1],
    bins: BINS,
    tokens: tokens * EXAMPLES,
    counts,
    samples,
    H: none,
    W: none,
  };
}

const run = mkdtempSync(join(tmpdir(), 'aurora-activations-'));
let open: Wired[] = [];

beforeAll(async () => {
  const folder = runPaths(run).activations;
  mkdirSync(folder);
  const snapshot = encodeSnapshot({ step: 20, layers: Object.keys(LAYERS).map(layer) });
  writeFileSync(join(folder, `${stepName(20)}.bin`), snapshot);
  const pixels = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 31) % 256));
  const file = await sharp(pixels, { raw: { width: 64, height: 64, channels: 3 } })
    .webp()
    .toBuffer();
  const image = {
    name: '0.png, timestep 437',
    width: 512,
    height: 512,
    picture: THUMBNAIL + file.toString('base64'),
  };
  const example = { line: 1, ids: [], label: 'a photo of sks dog', image };
  const examples = { file: '/data/dog', examples: [example, { ...example, line: 2 }] };
  writeFileSync(join(folder, 'examples.json'), JSON.stringify(examples));
});
afterEach(async () => {
  for (const w of open) await w.close();
  open = [];
});
afterAll(async () => {
  await closePages();
  rmSync(run, { recursive: true });
});

/** The page, with the words of a layer's bin. */
async function show(path: string, options: Parameters<typeof wire>[1] = {}): Promise<Wired> {
  const facts = {
    adapter: { method: 'lora', rank: 1, alpha: 1, targetModules: ['to_q'] } as never,
    steps: [20],
  };
  const w = await wire(run, { ...options, facts });
  open.push(w);
  await cards(w).first().waitFor();
  await w.page.locator(`aurora-layer-card[data-path="${path}"]`).click();
  await w.page.locator('.chart-box').focus();
  await w.page.keyboard.press('Home');
  for (let i = 0; i < BIN; i++) await w.page.keyboard.press('ArrowRight');
  await w.page.keyboard.press('Enter');
  await w.page.locator('.words li').first().waitFor();
  return w;
}
const [FINE, PROMPT, COARSE] = Object.keys(LAYERS) as [string, string, string];

describe('the layer activations of a model that draws pictures', () => {
  it('have no problems in any theme and width', async () =>
    expectSoundInAllLooks(await show(FINE, LOOKS[0]), 'activations-pictures', 8));

  it.each([
    [FINE, { column: 2, row: 1, side: 64 }],
    [COARSE, { column: 2, row: 1, side: 128 }],
  ])('frame the patch of the latents in its image, as large as the level has it: %s', async (path, patch) => {
    const { page } = await show(path);
    const frame = page.locator('.words rect.frame').first();
    const box = await frame.evaluate((f) => ['x', 'y', 'width'].map((a) => Number(f.getAttribute(a))));
    expect(box).toEqual([patch.column * patch.side, patch.row * patch.side, patch.side]);
    expect(await page.locator('.words .name').first().innerText()).toBe('A patch of 0.png, timestep 437');
  });

  it('name the token of the prompt for a layer that reads that', async () => {
    const { page } = await show(PROMPT);
    expect(await page.locator('.words svg.image').count()).toBe(0);
    expect(await page.locator('.words blockquote').first().innerText()).toContain('Token 3 of the prompt');
    expect(await page.locator('.words .label').first().innerText()).toBe('a photo of sks dog');
  });
});
