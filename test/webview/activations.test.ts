import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { AdapterSpec } from '../../src/experiment/methods';
import { decodeSnapshot, encodeSnapshot } from '../../src/protocol/activations';
import { adapter, cards, openFirst, RUN, wire as wirePage, type Wired } from './activations-fixture';
import { closePages, LOOKS } from './harness';
import { expectSoundInAllLooks } from './sound';

let stop: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const s of stop) await s();
  stop = [];
});
afterAll(closePages);

async function wire(...args: Parameters<typeof wirePage>): Promise<Wired> {
  const wired = await wirePage(...args);
  stop.push(() => wired.close());
  return wired;
}

/** The number of drawn pixels on a canvas. */
const painted = (w: Wired, index: number) =>
  w.page.evaluate((i) => {
    const canvas = document.querySelectorAll<HTMLCanvasElement>('aurora-layer-card canvas')[i];
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width || 1, canvas.height || 1);
    return data.filter((v, k) => k % 4 === 3 && v > 0).length;
  }, index);

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-activations-'));
  stop.push(() => Promise.resolve(rmSync(folder, { recursive: true, force: true })));
  mkdirSync(join(folder, 'activations'));
  return folder;
}

/** A run with many layers, made by repeating the real ones. */
function manyLayers(count: number): string {
  const folder = temporary();
  for (const name of ['step-000000.bin', 'step-000060.bin']) {
    const { step, layers } = decodeSnapshot(readFileSync(join(RUN, 'activations', name)));
    const many = Array.from({ length: count }, (_, i) => ({
      ...layers[i % layers.length],
      path: `encoder.layer.${i >> 1}.attention.self.${i % 2 ? 'value' : 'query'}`,
    }));
    writeFileSync(join(folder, 'activations', name), encodeSnapshot({ step, layers: many }));
  }
  return folder;
}

describe('the Layer activations page', () => {
  it('has no problems in any theme and width', async () => {
    const w = await wire(RUN, LOOKS[0]);
    await openFirst(w);
    await w.page.locator('.chart-box').focus();
    await w.page.keyboard.press('Enter');
    await w.page.locator('.words li').first().waitFor();
    expect(await painted(w, 0)).toBeGreaterThan(500);
    await expectSoundInAllLooks(w, 'activations', 50);
  });

  it('shows every layer, and call-outs in words that lead to their layers', async () => {
    const w = await wire(RUN);
    await cards(w).first().waitFor();
    expect(await cards(w).count()).toBe(4);
    const outs = w.page.locator('.call-outs button');
    expect(await outs.count()).toBeGreaterThan(0);
    const sentence = await outs.last().innerText();
    await outs.last().click();
    await w.page.locator('.large h2').waitFor();
    expect(sentence).toContain(await w.page.locator('.large h2').innerText());
  });

  it('works by keyboard: arrow keys between layers, Enter, bins, and back to the card', async () => {
    const w = await wire(RUN);
    await cards(w).first().waitFor();
    await cards(w).first().focus();
    await w.page.keyboard.press('ArrowRight');
    await w.page.keyboard.press('Enter');
    const second = await cards(w).nth(1).getAttribute('data-path');
    await w.page.locator('aurora-sigma-chart svg').waitFor();
    expect(await w.page.locator('.large h2').innerText()).toBe(second);
    const chart = w.page.locator('.chart-box');
    await chart.focus();
    const before = await chart.getAttribute('aria-valuenow');
    await w.page.keyboard.press('ArrowRight');
    expect(Number(await chart.getAttribute('aria-valuenow'))).toBe(Number(before) + 1);
    expect(await chart.getAttribute('aria-valuetext')).toMatch(/tokens/);
    await w.page.locator('.close').focus();
    await w.page.keyboard.press('Enter');
    await expect
      .poll(() => w.page.evaluate(() => (document.activeElement as HTMLElement).dataset.path))
      .toBe(second);
  });

  it('shows the texts in a bin with the token marked, and opens their data rows', async () => {
    const w = await wire(RUN);
    await openFirst(w);
    const { layers } = decodeSnapshot(readFileSync(join(RUN, 'activations/step-000060.bin')));
    const examples = JSON.parse(readFileSync(join(RUN, 'activations/examples.json'), 'utf8'));
    const [layer] = layers;
    const bin = layer.counts.subarray(0, layer.bins + 2).findIndex((n) => n >= 4);
    await w.page.locator('.chart-box').focus();
    await w.page.keyboard.press('Home');
    for (let i = 0; i < bin; i++) await w.page.keyboard.press('ArrowRight');
    await w.page.keyboard.press('Enter');
    await w.page.locator('.words li').nth(3).waitFor();
    const [example, token] = layer.samples.subarray(bin * 8, bin * 8 + 2);
    const row = examples.examples[example];
    const word = row.text.slice(row.offsets[2 * token], row.offsets[2 * token + 1]);
    expect(await w.page.locator('.words mark').first().innerText()).toBe(word);
    expect(await w.page.locator('.words .label').first().innerText()).toBe(row.label);
    await w.page.locator('.words button').first().click();
    await expect.poll(() => w.rows).toEqual([`${examples.file}:${row.line}`]);
  });

  it('draws what the adapter computes and copies it as CSV', async () => {
    const w = await wire(RUN);
    await openFirst(w);
    await w.page.getByText('Copy Curves as CSV').click();
    await expect.poll(() => w.copied.length).toBe(1);
    const [head, ...rows] = w.copied[0].split('\n').map((l) => l.split(','));
    expect(head).toEqual(['z', 'fixed', 'spline', 'sum', 'sum at step 0']);
    expect(rows.length).toBe(241);
    for (const [, fixed, spline, sum] of rows.map((r) => r.map(Number)))
      expect(Math.abs(fixed + spline - sum)).toBeLessThan(1e-5);
    await w.page.getByText('Copy Histogram as CSV').click();
    await expect.poll(() => w.copied.length).toBe(2);
    const total = w.copied[1]
      .split('\n')
      .slice(1)
      .reduce((n, l) => n + Number(l.split(',')[2]), 0);
    expect(total).toBe(
      decodeSnapshot(readFileSync(join(RUN, 'activations/step-000060.bin'))).layers[0].tokens,
    );
  });

  it('says that a spline per dimension reads its own coordinate, and draws it flat along others', async () => {
    const w = await wire(RUN, { facts: { adapter: { ...adapter, spline: 'per-dimension' } as AdapterSpec } });
    await openFirst(w);
    expect(await w.page.locator('.large').innerText()).toContain(
      'the spline of an output reads its own only',
    );
    await w.page.locator('.large .choosers select').last().selectOption('1');
    await w.page.locator('.large .note', { hasText: 'as z[1] varies' }).waitFor();
    await w.page.getByText('Copy Curves as CSV').click();
    await expect.poll(() => w.copied.length).toBe(1);
    const rows = w.copied[0].split('\n').slice(1);
    expect(new Set(rows.map((row) => row.split(',')[2])).size).toBe(1);
    expect(new Set(rows.map((row) => row.split(',')[1])).size).toBeGreaterThan(100);
  });

  it('moves through the steps by slider and by playing, and keeps its place', async () => {
    const w = await wire(RUN);
    await openFirst(w);
    const output = w.page.locator('.timeline output');
    expect(await output.innerText()).toContain('step 60');
    await w.page.locator('.timeline input').focus();
    await w.page.keyboard.press('Home');
    await expect.poll(() => output.innerText()).toContain('step 0');
    await expect.poll(() => w.page.locator('.summary').innerText()).toContain('at step 0');
    await w.page.locator('.timeline select').selectOption('8');
    await w.page.locator('.play').click();
    await expect.poll(() => output.innerText()).toContain('step 60');
    await expect.poll(() => w.page.locator('.play').innerText()).toBe('Play');
    await w.page.locator('.choosers select').nth(1).selectOption('1');
    await expect.poll(() => w.page.locator('.summary').innerText()).toContain('over z[1]');
    const state = await w.opened.state();
    const again = await wire(RUN, { state });
    await expect.poll(() => again.page.locator('.summary').innerText()).toContain('over z[1]');
    await expect.poll(() => again.page.locator('.timeline select').inputValue()).toBe('8');
  });

  it('follows a live run', async () => {
    const folder = temporary();
    const add = (step: string) =>
      cpSync(join(RUN, `activations/step-${step}.bin`), join(folder, `activations/step-${step}.bin`));
    const w = await wire(folder, { facts: { live: true } });
    await w.page.locator('.notice').waitFor();
    expect(await w.page.locator('.notice').innerText()).toContain('training.activationsEvery');
    add('000000');
    w.session.refresh();
    await cards(w).first().waitFor();
    add('000030');
    w.session.refresh();
    await expect.poll(() => w.page.locator('.timeline output').innerText()).toContain('step 30 (2 of 2');
    // A step that the journal rolled back is not part of the run.
    w.facts = { ...w.facts, steps: [0] };
    w.session.refresh();
    await expect.poll(() => w.page.locator('.timeline output').innerText()).toContain('step 0 (1 of 1');
  });

  it('shows histograms for LoRA and explains why there is no curve', async () => {
    const folder = temporary();
    const { step, layers } = decodeSnapshot(readFileSync(join(RUN, 'activations/step-000060.bin')));
    const bare = layers.map((l) => ({
      ...l,
      H: new Float32Array(),
      W: new Float32Array(),
      outside: undefined,
    }));
    writeFileSync(join(folder, 'activations/step-000060.bin'), encodeSnapshot({ step, layers: bare }));
    const lora = { ...adapter, method: 'lora' } as AdapterSpec;
    const w = await wire(folder, { facts: { adapter: lora } });
    await openFirst(w);
    expect(await w.page.locator('.notice').innerText()).toContain('LoRA has no σ');
    expect(await w.page.locator('path.curve').count()).toBe(0);
    expect(await w.page.locator('rect.bar').count()).toBe(66);
    await w.page.locator('.chart-box').focus();
    await w.page.keyboard.press('Enter');
    await expect.poll(() => w.page.locator('.words .note').innerText()).toContain('examples.json');
    expect(await w.opened.accessibility()).toEqual([]);
    await w.opened.screenshot('activations-lora');
  });

  it('indicates the steps at which σ acts on A', async () => {
    const w = await wire(RUN, { facts: { steps: [0, 10, 30, 60], staticFrom: 60 } });
    await cards(w).first().waitFor();
    await w.page.locator('.notice', { hasText: 'At this step the static form is trained' }).waitFor();
    w.session.receive({ type: 'show', step: 30 });
    await w.page.locator('.notice').waitFor({ state: 'detached' });
  });

  it('names a damaged file and continues', async () => {
    const folder = temporary();
    cpSync(join(RUN, 'activations/step-000000.bin'), join(folder, 'activations/step-000000.bin'));
    writeFileSync(join(folder, 'activations/step-000010.bin'), 'AURAbroken');
    const w = await wire(folder);
    await expect.poll(() => w.page.locator('[role=status]').first().innerText()).toContain('step-000010.bin');
  });

  it('stays fast with 200 layers and draws only the visible ones', async () => {
    const w = await wire(manyLayers(200), { height: 700 });
    await cards(w).nth(199).waitFor({ state: 'attached' });
    await expect.poll(() => painted(w, 0)).toBeGreaterThan(500);
    expect(await painted(w, 199)).toBe(0);
    await cards(w).nth(199).scrollIntoViewIfNeeded();
    await expect.poll(() => painted(w, 199)).toBeGreaterThan(500);
    await w.page.locator('input[type=search]').fill('layer.7.');
    await expect.poll(() => cards(w).count()).toBe(2);
    await w.page.locator('input[type=search]').fill('');
    await w.page.locator('section[aria-label="All layers"] select').selectOption('linearity');
    const first = await cards(w).first().innerText();
    await w.opened.screenshot('activations-200');
    const lines = (await cards(w).allInnerTexts()).map((text) => Number(/R² ([\d.]+)/.exec(text)![1]));
    expect(first).toContain(`R²`);
    expect(lines[0]).toBe(Math.min(...lines));
  });

  it('is at most 600 KB', () => {
    expect(statSync('dist/webview/activations.js').size).toBeLessThanOrEqual(600_000);
  });
});
