import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { canvases, contrasts, faintTexts, shownTexts } from './contrast';
import { THEMES, type Theme } from './harness';
import { pixelsOf, trained, type Watched, watching } from './run-fixture';

const show = watching();

describe('the look of the run page', () => {
  it('is legible and accessible in every theme', async () => {
    const run = trained('news-aurora', 412);
    run.event({ kind: 'warning', message: '3 texts of the training file were cut to 128 tokens.' });
    const w = await show([run.folder, trained('news-lora', 700, 'stopped', 1).folder]);
    await w.page.locator('[data-control=data] summary').click();
    await w.page.getByRole('slider', { name: 'Loss' }).focus();
    await w.page.keyboard.press('PageDown');
    for (const theme of THEMES) await legible(w, theme);
  });

  async function legible(w: Watched, theme: Theme): Promise<void> {
    await w.look({ theme, width: 1000 });
    await w.settled();
    expect(await w.complaints()).toEqual([]);
    expect(await w.accessibility(), theme).toEqual([]);
    for (const chart of ['loss', 'memory', 'gradientNorm'])
      await expect.poll(() => pixelsOf(w, chart, '--series-orange')).toBeGreaterThan(20);
    for (const chart of ['loss', 'accuracy'])
      await expect.poll(() => pixelsOf(w, chart, '--series-orange-shade')).toBeGreaterThan(20);
    expect(await shownTexts(w.page)).toBeGreaterThan(100);
    expect(await faintTexts(w.page), theme).toEqual([]);
    // Text on a canvas is not included in the search for faint text.
    const [axes, ...series] = await contrasts(w.page, [
      '--vscode-foreground',
      '--series-blue',
      '--series-orange',
      '--series-blue-shade',
      '--series-orange-shade',
    ]);
    expect(axes).toBeGreaterThanOrEqual(4.5);
    for (const ratio of series) expect(ratio).toBeGreaterThanOrEqual(3);
    expect((await canvases(w.page)).blank).toBe(0);
    await w.screenshot(`run-${theme}-1000`);
  }

  it.each([320, 1600])('fits into %i px', async (width) => {
    const w = await show([trained('news-aurora', 412).folder], { width });
    expect(
      await w.page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
    ).toBeLessThanOrEqual(0);
    expect(await w.complaints()).toEqual([]);
    expect(await w.accessibility()).toEqual([]);
    await w.screenshot(`run-dark-${width}`);
  });

  it.each([
    ['900 pixels wide', 900, 700, 0.4],
    ['enlarged to 150%', 600, 467, 0.9],
  ])('has its header in part of a window, and a chart in view, %s', async (_, width, height, most) => {
    const run = trained('news-aurora', 412, 'finished');
    run.event({ kind: 'device', step: 0, engine: 'onnxruntime', device: 'cpu', reason: 'only', tried: [] });
    run.event({ kind: 'warning', message: '3 texts of the training file were cut to 128 tokens.' });
    const w = await show([run.folder], { width, height });
    await w.settled();
    const end = (selector: string, edge: 'top' | 'bottom') =>
      w.page
        .locator(selector)
        .first()
        .evaluate((e, of) => e.getBoundingClientRect()[of], edge);
    expect(await end('.run-header', 'bottom')).toBeLessThan(most * height);
    expect(await end('[data-chart=loss] canvas', 'top')).toBeLessThan(0.85 * height);
  });

  it('uses the colors of a new theme once the editor has changed', async () => {
    const w = await show([trained('theme', 200).folder]);
    await w.page.evaluate(() =>
      document.documentElement.style.setProperty('--vscode-charts-blue', 'rgb(1, 254, 3)'),
    );
    await w.settled();
    expect(await pixelsOf(w, 'loss', '--series-blue')).toBeGreaterThan(100);
  });

  it('is a single page of at most 600 KB', () => {
    expect(statSync('dist/webview/run.js').size).toBeLessThanOrEqual(600_000);
  });
});
