import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { closeBrowser } from './harness';
import { RunFolder, watch, type Watched } from './run-fixture';

let open: Watched[] = [];
const show = async (...args: Parameters<typeof watch>) => {
  const watched = await watch(...args);
  open.push(watched);
  return watched;
};
afterEach(async () => {
  for (const w of open) await w.stop();
  open = [];
});
afterAll(closeBrowser);

describe('the run page', () => {
  it('shows the metrics that a run has, percentages as such', async () => {
    const training = { batchSize: 8, gradientAccumulation: 1, metric: 'entityF1', epochs: 4 };
    const run = new RunFolder('spans', 40, { training });
    run.start();
    run.append(1, 40);
    for (const step of [20, 40])
      run.event({
        kind: 'evaluation',
        ...{ step, epoch: step / 10, best: true, seconds: 0.5 },
        metrics: { loss: 0.4, entityF1: 0.6 + step / 900, tagAccuracy: 0.95, examples: 24 },
      });
    const w = await show([run.folder]);
    await w.settled();
    const charts = await w.page
      .locator('aurora-chart')
      .evaluateAll((all) => all.map((c) => (c as HTMLElement).dataset.chart));
    expect(charts.slice(0, 3)).toEqual(['loss', 'entityF1', 'tagAccuracy']);
    expect(charts).not.toContain('accuracy');
    expect(await w.page.locator('[data-chart=entityF1] .value').innerText()).toBe('64.4 %');
    expect(await w.page.locator('[data-chart=entityF1] [role=img]').getAttribute('aria-label')).toContain(
      'last 64.4 %, between 62.2 % and 64.4 %',
    );
    expect(await w.page.locator('.run-header .numbers').innerText()).toMatch(
      /Best entity F1\s+64\.4 % at step 40/,
    );
    const heads = await w.page.locator('[data-table=metrics] th[title]').allInnerTexts();
    expect(heads).toEqual(['Loss', 'Entity F1', 'Tag accuracy']);
    // Beside a run of another kind, each has a dash for the metrics of the other.
    const other = new RunFolder('labels', 40);
    other.start();
    other.append(1, 40);
    other.evaluate(40);
    const both = await show([run.folder, other.folder]);
    await both.settled();
    const cells = await both.page
      .locator('[data-table=metrics] tbody tr')
      .last()
      .locator('td')
      .allInnerTexts();
    expect(cells.slice(2)).toEqual(['0.3500', '90.0 %', '87.0 %', '0.750', '–', '–']);
    expect(await both.page.locator('[data-chart=entityF1] .value').allInnerTexts()).toEqual(['64.4 %', '–']);
    await both.screenshot('run-kinds');
  });
});
