import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AdapterSpec } from '../../src/experiment/methods';
import { decodeSnapshot } from '../../src/protocol/activations';
import { parsePredictions, type Predictions } from '../../src/protocol/predictions';
import { Lab } from '../cli/lab';
import { pictured, writePictures } from '../cli/pictures';
import { openFirst, wire as wireActivations } from './activations-fixture';
import { rows, wire as wireErrors } from './errors-fixture';
import { closePages, LOOKS } from './harness';
import { wire as wirePlayground, type WireOptions } from './playground-fixture';
import { expectSoundInAllLooks } from './sound';

const SHAPES = { input: 'image', answer: 'label' } as const;
const lab = new Lab({
  task: { type: 'image-classification' },
  training: { epochs: 2, learningRate: 0.03 },
});
let run = '';
let predictions: Predictions;
let open: { close(): Promise<void> }[] = [];

beforeAll(() => {
  lab.write('model.onnx', readFileSync(resolve('test/fixtures/reference/vit.onnx')));
  writePictures(lab, 96);
  const row = (i: number) => `${JSON.stringify({ image: `images/${i}.png`, label: pictured(i) })}\n`;
  lab.write('train.jsonl', Array.from({ length: 72 }, (_, i) => row(i)).join(''));
  lab.write('validation.jsonl', Array.from({ length: 24 }, (_, i) => row(72 + i)).join(''));
  expect(lab.run('train', lab.experiment, '--out', lab.path('runs'))).toMatchObject({ code: 0 });
  [run] = lab.runs(lab.path('runs'));
  expect(lab.run('errors', run)).toMatchObject({ code: 0 });
  const [name] = readdirSync(join(run, 'predictions'));
  const file = join(run, 'predictions', name);
  predictions = parsePredictions(file, readFileSync(file, 'utf8'));
});
afterEach(async () => {
  for (const w of open) await w.close();
  open = [];
});
afterAll(async () => {
  await closePages();
  lab.remove();
});

const errors = async (options: WireOptions = {}) => {
  const w = await wireErrors(predictions, options);
  open.push(w);
  await rows(w).first().waitFor();
  return w;
};
const playground = async (options: WireOptions = {}) => {
  const w = await wirePlayground({ kind: 'run', run, at: 'best' }, { shapes: SHAPES, ...options });
  open.push(w);
  return w;
};

const whole = (w: Parameters<typeof expectSoundInAllLooks>[0], name: string) =>
  expectSoundInAllLooks(w, name, 8);

describe('the Errors page of images', () => {
  it('has no problems in any theme and width', async () => whole(await errors(LOOKS[0]), 'errors-images'));

  it('shows each image beside its name, and neither tokens nor lengths', async () => {
    const { page } = await errors();
    const first = page.locator('.list tbody tr').first();
    const example = Number(await first.getAttribute('data-example'));
    expect(await first.locator('.text').innerText()).toBe(`images/${72 + example}.png`);
    const sides = await page
      .locator('.list img.thumbnail')
      .evaluateAll((all) => all.map((image) => (image as HTMLImageElement).naturalWidth));
    expect(sides).toHaveLength(24);
    expect(Math.min(...sides)).toBeGreaterThan(15);
    expect(await page.locator('.list thead').innerText()).not.toContain('Tokens');
    expect(await page.locator('[data-table=lengths]').count()).toBe(0);
  });
});

describe('the layer activations of a run on images', () => {
  const activations = async (options: WireOptions = {}) => {
    const { adapter } = JSON.parse(readFileSync(join(run, 'spec.json'), 'utf8')) as { adapter: AdapterSpec };
    const w = await wireActivations(run, { ...options, facts: { adapter } });
    open.push(w);
    await openFirst(w);
    const [newest] = readdirSync(join(run, 'activations'))
      .filter((name) => name.endsWith('.bin'))
      .sort()
      .reverse();
    const [layer] = decodeSnapshot(readFileSync(join(run, 'activations', newest))).layers;
    const bin = layer.counts.subarray(0, layer.bins + 2).findIndex((n) => n >= 4);
    await w.page.locator('.chart-box').focus();
    await w.page.keyboard.press('Home');
    for (let i = 0; i < bin; i++) await w.page.keyboard.press('ArrowRight');
    await w.page.keyboard.press('Enter');
    await w.page.locator('.words svg.image').first().waitFor();
    return w;
  };

  it('has no problems in any theme and width', async () =>
    whole(await activations(LOOKS[0]), 'activations-images'));

  it('frames the patch of each token in its image', async () => {
    const { page } = await activations();
    const names = await page.locator('.words li .name').allInnerTexts();
    expect(names.filter((name) => /^A patch of images\/\d+\.png$/.test(name)).length).toBeGreaterThan(0);
    const frames = await page
      .locator('.words rect.frame')
      .evaluateAll((all) => all.map((f) => ['x', 'y', 'width'].map((a) => Number(f.getAttribute(a)))));
    // The fixture has patches of 8 × 8 in images of 24 × 24.
    for (const [x, y, width] of frames) expect([x % 8, y % 8, width]).toEqual([0, 0, 8]);
  });
});

describe('the Playground of a run on images', () => {
  it('has no problems in any theme and width', async () => {
    const w = await playground(LOOKS[0]);
    await w.page.locator('[data-action=sample]').click();
    await w.page.locator('.card .verdict').nth(1).waitFor();
    await w.page.locator('canvas.picture').waitFor();
    await whole(w, 'playground-images');
  });

  it('asks about a validation image as the model reads it, with its label', async () => {
    const w = await playground();
    await w.page.locator('[data-action=sample]').click();
    await w.page.locator('.card .verdict').nth(1).waitFor();
    const truth = await w.page.locator('.truth-line').innerText();
    expect(truth).toMatch(/^validation\.jsonl, line \d+\. Its label: (cat|none)$/);
    const line = Number(/line (\d+)/.exec(truth)![1]);
    expect(truth).toContain(pictured(71 + line));
    expect(await w.page.locator('canvas.picture').getAttribute('aria-label')).toContain('24 × 24');
    // The colors of the two labels are far apart, so that even a short training tells them.
    const own = w.page.locator('[data-column="own adapted"]');
    await expect.poll(() => own.locator('.verdict').innerText()).toContain(pictured(71 + line));
  });
});
