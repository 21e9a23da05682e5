import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/base/errors';
import type { AdapterSpec } from '../../src/experiment/methods';
import { tokenInText, type ActivationExample } from '../../src/protocol/activation-examples';
import { decodeSnapshot, type LayerSnapshot } from '../../src/protocol/activations';
import { parsePredictions } from '../../src/protocol/predictions';
import { Lab } from '../cli/lab';
import { png } from '../png';
import { cards, wire as wireActivations, type Wired } from './activations-fixture';
import { rows, wire as wireErrors } from './errors-fixture';
import { closePages, LOOKS } from './harness';
import { wire as wirePlayground } from './playground-fixture';
import { watching } from './run-fixture';
import { expectSoundInAllLooks } from './sound';

/** A run that a trainer made of a small random pipeline: two levels, 32 × 32 pixels. */
const lab = new Lab();
const watch = watching();
let run = '';
let open: { close(): Promise<void> }[] = [];

beforeAll(() => {
  cpSync('test/fixtures/diffusers/sd', lab.path('sd'), { recursive: true });
  for (let i = 0; i < 4; i++)
    lab.write(
      `dog/${i}.png`,
      png(36, 36, (x, y) => [(60 * i) % 255, (x * y) % 255, 200 - 40 * i]),
    );
  lab.write(
    'dog.aurora.json',
    JSON.stringify({
      model: { path: 'sd' },
      task: { type: 'subject-generation', instancePrompt: 'a photo of sks dog', resolution: 32 },
      data: { train: 'dog' },
      adapter: { method: 'aurora', rank: 2 },
      training: {
        epochs: 2,
        batchSize: 2,
        evaluateEvery: 2,
        pictures: { prompts: ['a photo of sks dog', 'a cat'], every: 2, steps: 2 },
      },
    }),
  );
  const training = ['train', lab.path('dog.aurora.json'), '--out', lab.path('runs'), '--device', 'cpu'];
  // So few steps of a random model are no better than a guess.
  expect([EXIT.ok, EXIT.baseline]).toContain(lab.run(...training).code);
  [run] = lab.runs(lab.path('runs')) as [string];
});
afterEach(async () => {
  for (const w of open) await w.close();
  open = [];
});
afterAll(async () => {
  await closePages();
  lab.remove();
});

describe('a run on pictures', () => {
  it('shows what it drew, in its dashboard', async () => {
    const { page } = await watch([run]);
    const strip = page.locator('[data-section=pictures]');
    expect(await strip.locator('thead th').allInnerTexts()).toEqual([
      'Prompt',
      'Base model',
      'Step 2',
      'Step 4',
    ]);
    await strip.locator('button').last().scrollIntoViewIfNeeded();
    const widths = () =>
      strip.locator('canvas').evaluateAll((all) => all.map((c) => (c as HTMLCanvasElement).width));
    await expect.poll(widths).toEqual(Array(6).fill(32));
  });

  it('shows in the errors view how well noise is predicted, by timestep and image', async () => {
    expect(lab.run('errors', run)).toMatchObject({ code: 0 });
    const [name] = readdirSync(join(run, 'predictions')) as [string];
    const file = join(run, 'predictions', name);
    const w = await wireErrors(parsePredictions(file, readFileSync(file, 'utf8')), LOOKS[0]);
    open.push(w);
    await rows(w).first().waitFor();
    await expectSoundInAllLooks(w, 'errors-pictures', 20);
    expect(await w.page.locator('[data-table=values] tbody tr').count()).toBe(8);
    // Both filters together leave one noisy image.
    await w.page.locator('[data-table=images] button').first().click();
    await expect.poll(() => rows(w).count()).toBe(8);
    await w.page.locator('[data-table=values] button').first().click();
    await expect.poll(() => rows(w).count()).toBe(1);
    const [image] = await w.page.locator('[data-table=images] .chosen th').allInnerTexts();
    expect(await rows(w).first().locator('.text').innerText()).toBe(image);
  });

  it('draws in the playground, adapted and base, with the settings of its pictures', async () => {
    const shapes = { input: 'text', answer: 'picture' } as const;
    const w = await wirePlayground({ kind: 'run', run, at: 'best' }, { shapes });
    open.push(w);
    await w.page.locator('[name=steps]').waitFor();
    expect(await w.page.locator('[name=width]').inputValue()).toBe('32');
    await w.page.locator('[name=steps]').fill('2');
    await w.page.locator('textarea').first().fill('a photo of sks dog');
    await w.page.locator('[data-action=ask]').click();
    const pictures = w.page.locator('img.drawn');
    await expect.poll(() => pictures.count()).toBe(2);
    const sizes = await pictures.evaluateAll((all) => all.map((i) => (i as HTMLImageElement).naturalWidth));
    expect(sizes).toEqual([32, 32]);
    expect(w.errors).toEqual([]);
  });
});

describe('the layer activations of a run on pictures', () => {
  const newest = () => {
    const folder = join(run, 'activations');
    const names = readdirSync(folder).filter((name) => name.endsWith('.bin'));
    return decodeSnapshot(readFileSync(join(folder, names.sort().at(-1)!))).layers;
  };
  const ends = (end: string) => newest().find(({ path }) => path.endsWith(end))!;

  /** The words in a bin of a layer that has some. */
  async function words(layer: LayerSnapshot): Promise<Wired> {
    const { adapter } = JSON.parse(readFileSync(join(run, 'spec.json'), 'utf8')) as { adapter: AdapterSpec };
    const w = await wireActivations(run, { facts: { adapter } });
    open.push(w);
    await cards(w).first().waitFor();
    await w.page.locator(`aurora-layer-card[data-path="${layer.path}"]`).click();
    await w.page.locator('.chart-box').focus();
    await w.page.keyboard.press('Home');
    const bin = layer.counts.subarray(0, layer.bins + 2).findIndex((n) => n >= 4);
    for (let i = 0; i < bin; i++) await w.page.keyboard.press('ArrowRight');
    await w.page.keyboard.press('Enter');
    await w.page.locator('.words li').first().waitFor();
    return w;
  }

  it('frame patches of the latents, in the grid of the level', async () => {
    const { page } = await words(ends('down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q'));
    await page.locator('.words rect.frame').first().waitFor();
    const frames = await page
      .locator('.words rect.frame')
      .evaluateAll((all) => all.map((f) => ['x', 'y', 'width'].map((a) => Number(f.getAttribute(a)))));
    for (const [x, y, width] of frames) expect([x! % width!, y! % width!, 32 % width!]).toEqual([0, 0, 0]);
    expect(await page.locator('.words .name').first().innerText()).toMatch(
      /^A patch of \d\.png, timestep \d+$/,
    );
  });

  it('name words of the prompt where a layer reads that', async () => {
    const { page } = await words(ends('attn2.to_k'));
    expect(await page.locator('.words svg.image').count()).toBe(0);
    expect(await page.locator('.words .label').first().innerText()).toBe('a photo of sks dog');
    const { examples } = JSON.parse(readFileSync(join(run, 'activations/examples.json'), 'utf8')) as {
      examples: ActivationExample[];
    };
    // The prompt between its start and its end token, whatever the tokenizer makes of it.
    expect(examples[0]!.text).toBe('a photo of sks dog');
    expect(tokenInText(examples[0]!, 1)).toMatchObject({ before: '', token: expect.stringMatching(/^a/) });
    const quotes = await page.locator('.words blockquote').allInnerTexts();
    for (const quote of quotes)
      expect(quote).toMatch(/a photo of sks dog|special token|^Token \d+ of the prompt/);
  });
});
