import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { PageTrial } from '../../src/protocol/panels/sweep';
import { experimentRuns } from '../../src/runs/layout';
import { readSweep, writeSweep } from '../../src/runs/sweep/record';
import { evaluated, finished, makeRun, started } from '../unit/extension/run-maker';
import { faintTexts, shownTexts } from './contrast';
import { closePages, LOOKS } from './harness';
import { listSweep, prunedSweep, rateSearch, wire, type Wired } from './sweep-fixture';

let w: Wired | undefined;
afterEach(async () => {
  await w?.close();
  w = undefined;
});
afterAll(closePages);

const healthy = async () => {
  expect(await w!.opened.complaints()).toEqual([]);
  expect(w!.errors).toEqual([]);
};
const rows = () => w!.page.locator('.trial-row');
const numbers = async () =>
  (await rows().evaluateAll((all) => all.map((r) => r.getAttribute('data-trial')))).map(Number);

describe('the Sweep page', () => {
  it('says how far the sweep is, which trial is best, and how long it will take', async () => {
    w = await wire();
    const { page } = w;
    expect(await page.locator('h1').innerText()).toBe('Sweep of demo 1a2b');
    expect(await page.locator('.counts').innerText()).toBe(
      '13 of 18 trials done · 2 running · 3 queued · 1 failed',
    );
    expect(await page.locator('.best').innerText()).toMatch(
      /^Best so far: #8 method lora · rank 8 · lr 1e-3 · accuracy 71.0%$/,
    );
    expect(await page.locator('.left').innerText()).toMatch(/^Time left: .+, estimated from \d+ trials$/);
    await page.locator('[data-action=stop]').press('Enter');
    await page.locator('[data-action=best]').press('Enter');
    await expect.poll(() => w!.said.map((m) => m.type)).toEqual(['action', 'open']);
    await healthy();
  });

  it('sorts its table, walks through it by keys, and opens and compares trials', async () => {
    w = await wire();
    const { page } = w;
    expect(await numbers()).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
    await page.locator('[data-sort=metric]').press('Enter');
    await page.locator('[data-sort=metric]').press('Enter');
    await expect.poll(async () => (await numbers()).at(-1)).toBe(18);
    const best = Number((await page.locator('[data-action=best]').innerText()).match(/#(\d+) /)![1]);
    expect((await numbers())[0]).toBe(best);
    const table = page.locator('aurora-trials table');
    await table.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Shift+ArrowDown');
    await expect.poll(() => page.locator('.trial-row[aria-selected=true]').count()).toBe(3);
    await page.locator('[data-action=compare]').press('Enter');
    await table.focus();
    await page.keyboard.press('Enter');
    await rows().nth(2).dblclick();
    await expect.poll(() => w!.said.map((m) => m.type)).toEqual(['compare', 'open', 'open']);
    expect(w!.said[0]).toMatchObject({ runs: { length: 3 } });
    const around = JSON.parse((await table.getAttribute('data-vscode-context'))!) as object;
    expect(around).toMatchObject({ auroraSelected: { length: 1 } });
    // The context that VS Code's menu passes to its commands.
    const menu = JSON.parse((await rows().first().getAttribute('data-vscode-context'))!) as object;
    expect(menu).toMatchObject({
      webviewSection: 'auroraRun',
      kind: 'run',
      folder: expect.any(String) as string,
    });
    await healthy();
  });

  it('keeps the trials in a range of an axis, by dragging and by keys, also after a reload', async () => {
    w = await wire();
    const { page } = w;
    const axis = page.locator('.handle').first();
    const box = (await axis.locator('.grip').boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height - 4);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.6, { steps: 3 });
    await page.mouse.up();
    await expect.poll(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await page.locator('.filter').innerText()).toContain('9 of 18 trials: method lora');
    await page.locator('.handle').nth(1).focus();
    await page.keyboard.press('End');
    await page.keyboard.press('Shift+ArrowUp');
    await expect.poll(numbers).toEqual([4, 5, 6, 7, 8, 9]);
    expect(await page.locator('.handle').nth(1).getAttribute('aria-valuetext')).toBe('4 – 8');
    const state = await w.opened.state();
    await healthy();
    await w.close();
    w = await wire({ state });
    expect(await numbers()).toEqual([4, 5, 6, 7, 8, 9]);
    await w.page.locator('[data-action=clear]').press('Enter');
    await expect.poll(async () => (await numbers()).length).toBe(18);
  });

  it('shows the trial under the pointer', async () => {
    w = await wire();
    const { page } = w;
    const svg = (await page.locator('svg.parallel').boundingBox())!;
    for (let y = 40; y < 280 && (await page.locator('.trial.marked').count()) === 0; y += 8)
      await page.mouse.move(svg.x + svg.width * 0.45, svg.y + y);
    expect(await page.locator('.readout').first().innerText()).toMatch(/^#\d+ method \w+ · rank \d/);
  });

  it('has a heat map of any two settings, read cell by cell', async () => {
    w = await wire();
    const { page } = w;
    const cells = page.locator('.heat .cell');
    expect(await cells.count()).toBe(6);
    await page.locator('[data-field=heat-x]').selectOption('training.learningRate');
    await expect.poll(() => cells.count()).toBe(9);
    await page.locator('[data-field=heat-show]').selectOption('mean');
    await cells.first().focus();
    await page.keyboard.press('ArrowRight');
    const readout = page.locator('aurora-heat .readout');
    await expect
      .poll(() => readout.innerText())
      .toMatch(/^rank 2 · learningRate 1e-3 · mean \d+\.\d% · 2 trials$/);
    await page.keyboard.press('Enter');
    await page.keyboard.press('PageDown');
    await page.keyboard.press('End');
    await expect
      .poll(() => readout.innerText())
      .toMatch(/^rank 8 · learningRate 1e-2 · .* 1 of 2 trials with a result$/);
    await expect.poll(() => w!.said.map((m) => m.type)).toEqual(['open']);
    await healthy();
  });

  it('saves each figure and the numbers', async () => {
    w = await wire();
    for (const button of await w.page.locator('[data-save]').all()) await button.press('Enter');
    await w.page.locator('[data-field=best-by]').selectOption('number');
    await expect.poll(() => w!.said.length).toBe(10);
    const files = w.said
      .map((m) => (m.type === 'saveChart' ? [`${m.chart}.${m.format}`, m.data] : []))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    expect(files.map(([name]) => name)).toEqual([
      'best-so-far.csv',
      'best-so-far.png',
      'best-so-far.svg',
      'heat-map.csv',
      'heat-map.png',
      'heat-map.svg',
      'parallel-coordinates.csv',
      'parallel-coordinates.png',
      'parallel-coordinates.svg',
      'trials.csv',
    ]);
    expect(files.at(-1)![1].split('\r\n')).toHaveLength(20);
    for (const [name, data] of files) {
      if (!name.endsWith('.png')) {
        expect(data, name).not.toMatch(/NaN|undefined|Infinity/);
        continue;
      }
      const colors = await w.page.evaluate(colorsOf, data);
      // More than a background: lines or cells of several shades.
      expect(colors, name).toBeGreaterThan(20);
    }
    await healthy();
  });

  it('shows what pruning has decided, and for which trials it waits', async () => {
    w = await wire({}, prunedSweep());
    const { page } = w;
    expect(await page.locator('header .note').innerText()).toBe(
      'Random over learningRate, rank, seed · compared by accuracy · 2 in parallel · one in 3 continues after 1, 3, 9 … epochs',
    );
    expect(await page.locator('.counts').innerText()).toMatch(
      /^24 of 30 trials done · 2 running · 4 waiting for others · 20 pruned · 1 diverged$/,
    );
    expect(await page.locator('.best').innerText()).toMatch(/#19 .* accuracy 90.0%/);
    await page.locator('[data-sort=state]').press('Enter');
    await expect.poll(() => page.locator('td.state-pruned').count()).toBe(20);
    // A diverged trial has no result, and why is said.
    const diverged = page.locator('[data-trial="30"]');
    expect(await diverged.getAttribute('title')).toBe('The loss is not finite.');
    expect(await diverged.locator('td').allInnerTexts()).toContain('–');
    await w.opened.screenshot('sweep-pruned');
    // Many cells of its heat map are empty, and scroll within the page.
    await w.opened.look({ theme: 'dark', width: 320 });
    await expect
      .poll(() => page.evaluate(() => document.documentElement.scrollWidth))
      .toBeLessThanOrEqual(320);
    await healthy();
  });

  it('shows a search of learning rates: what it has passed over is not counted', async () => {
    w = await wire({}, rateSearch());
    const { page } = w;
    expect(await page.locator('header .note').innerText()).toContain(
      'learning rates searched with the first seed; other seeds use the best',
    );
    expect(await page.locator('.counts').innerText()).toBe('4 of 5 trials done · 1 queued · 4 passed over');
    expect(await page.locator('td.state-passed-over').count()).toBe(4);
    const first = (trial: number) => page.locator(`[data-trial="${trial}"]`).first();
    expect(await first(3).locator('td').first().innerText()).toBe('#3');
    expect(await first(4).locator('td').first().innerText()).toBe('Trial 4');
    expect(await first(4).getAttribute('aria-label')).toMatch(/^Trial 4 · lr 1e-4 · seed 1 · passed over$/);
    // A trial without a run has no menu, not even that of the row that keys act on.
    const menu = await page.locator('[data-trial="4"]').getAttribute('data-vscode-context');
    expect(JSON.parse(menu!)).toMatchObject({ webviewSection: 'none' });
    await page.locator('.heat .cell').first().waitFor();
    await w.opened.screenshot('sweep-search');
    await healthy();
  });

  it('shows a list of trials with the values that each leaves as they are', async () => {
    w = await wire({}, listSweep());
    const { page } = w;
    expect(await page.locator('header .note').innerText()).toMatch(
      /^List over rank, learningRate, epochs, batchSize/,
    );
    const cells = await page.locator('[data-trial="1"] td').allInnerTexts();
    expect(cells.slice(0, 5).map((c) => c.trim())).toEqual(['#1', '8', '1e-3', '3', '16']);
    expect(await page.locator('.handle').count()).toBe(5);
    await w.opened.screenshot('sweep-list');
    await healthy();
  });

  it('follows the sweep: trials that end, and its deletion', async () => {
    w = await wire();
    const { page, sweep } = w;
    const record = readSweep(sweep)!;
    const file = join(sweep, '../../../../demo.aurora.json');
    const run = makeRun(file, {
      events: [started, evaluated(120, 0.99), finished(120, 0.99)],
      status: { state: 'finished', step: 120 },
      result: { steps: 120, outcome: 'finished' },
    });
    record.trials[15].run = run.slice(experimentRuns(file).length + 1);
    writeSweep(sweep, record);
    w.session.look();
    await expect.poll(() => page.locator('.best').innerText()).toMatch(/#16 .* accuracy 99.0%/);
    expect(await page.locator('.counts').innerText()).toMatch(/^14 of 18 trials done/);
    expect((w.sent.at(-1) as { trials: PageTrial[] }).trials.map((t) => t.number)).toEqual([16]);
    rmSync(sweep, { recursive: true });
    w.session.look();
    await page.getByText('This sweep was deleted').waitFor();
    await healthy();
  });

  it('draws only the rows in view of a thousand trials, and answers within a moment', async () => {
    w = await wire();
    const { page } = w;
    const { facts, trials } = w.sent[0] as { facts: object; trials: PageTrial[] };
    const many = Array.from({ length: 1000 }, (_, i): PageTrial => {
      const like = trials[i % 13];
      const rate = Number((1e-4 * 10 ** ((i * 2) / 1000)).toPrecision(4));
      return {
        ...like,
        id: `m${i}`,
        number: i + 1,
        settings: { ...like.settings, 'training.learningRate': rate },
      };
    });
    await w.opened.send({ type: 'sweep', facts, trials: many });
    await expect.poll(() => page.locator('aurora-trials table').getAttribute('aria-rowcount')).toBe('1001');
    expect(await rows().count()).toBeLessThan(80);
    expect(await page.locator('svg.parallel path').count()).toBeLessThan(20);
    await page.locator('aurora-trials table').focus();
    await page.keyboard.press('End');
    await expect.poll(async () => (await numbers()).at(-1)).toBe(1000);
    expect(await page.locator('.heat .cell').count()).toBeLessThan(20);
    await page.locator('[data-field=heat-x]').selectOption('training.learningRate');
    await expect.poll(() => page.locator('.heat thead th').count()).toBe(9);
    await w.opened.screenshot('sweep-1000');
    await healthy();
  });

  it.each(LOOKS)('is legible and accessible in $theme at $width pixels', async ({ theme, width }) => {
    w = await wire({ theme, width });
    const { page } = w;
    await page.locator('.heat .cell').first().focus();
    await w.opened.screenshot(`sweep-${theme}-${width}`);
    expect(await shownTexts(page.mainFrame())).toBeGreaterThan(80);
    expect(await faintTexts(page.mainFrame())).toEqual([]);
    expect(await w.opened.accessibility()).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await healthy();
  });
});

/** In the page: the number of different colors in a PNG. */
async function colorsOf(data: string): Promise<number> {
  const image = new Image();
  image.src = `data:image/png;base64,${data}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext('2d')!;
  context.drawImage(image, 0, 0);
  return new Set(new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size;
}
