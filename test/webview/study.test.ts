import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { parseStudyMessage, parseStudyOpen } from '../../src/study/study-messages';
import { faintTexts, shownTexts } from './contrast';
import { closePages, THEMES } from './harness';
import { finishedRun, measured, METHODS, wire, type Wired } from './study-fixture';

let w: Wired | undefined;
afterEach(async () => {
  await w?.close();
  w = undefined;
});
afterAll(closePages);

const whole = (experiment: string) =>
  METHODS.flatMap(([adapter, accuracy]) =>
    [1, 2, 3].map((seed) => finishedRun(experiment, adapter, seed, accuracy)),
  );

async function open(options: Parameters<typeof wire>[1] & { measured?: boolean } = {}): Promise<Wired> {
  w = await wire(whole, options);
  if (options.measured) {
    for (const run of w.runs) await measured(run);
    w.session.refresh();
  }
  await w.page.locator('section.data').waitFor();
  if (options.measured) await w.page.locator('.notice').waitFor({ state: 'detached' });
  return w;
}

const differences = (w: Wired) => w.page.locator('.differences li').allInnerTexts();
const healthy = async (w: Wired) => {
  expect(await w.opened.complaints()).toEqual([]);
  expect(w.errors).toEqual([]);
};

describe('the Study page', () => {
  it('shows groups and differences in words, and one button that measures what is missing', async () => {
    const { page } = await open();
    expect(await page.locator('section.data > .scroll').first().locator('tbody th').allInnerTexts()).toEqual([
      'LoRA r=2',
      'LoRA r=8',
      'AuroRA r=2',
      'AuroRA r=2, without F',
      'AuroRA r=2, without L',
    ]);
    expect(await page.locator('[data-fact=same]').innerText()).toMatch(/^The same for all groups: runs 3/);
    expect((await differences(w!))[1]).toContain('AuroRA r=2 is 2.0 points of accuracy above LoRA r=2');
    expect(await page.locator('.notice li').count()).toBe(4);
    await page.locator('[data-action=measure]').press('Enter');
    await page.locator('.notice').waitFor({ state: 'detached' });
    expect(w!.measures.map((m) => m.length)).toEqual([15]);
    expect((await differences(w!))[1]).toContain('3 seeds (1, 2, 3) and 100 validation examples');
    await healthy(w!);
  });

  it('has every figure of the paper, each with its numbers as a table to copy', async () => {
    const { page, copied } = await open({ measured: true });
    const figures = page.locator('aurora-study-figure figure');
    expect(await figures.locator('figcaption').allInnerTexts()).toEqual([
      'Performance and parameters',
      'Rank sweep',
      'Ablations',
      'Time per step',
      'Peak memory',
      'As trained and merged into the weights',
      'Share of the gain that needs σ',
      'Merged ΔW over training: AuroRA r=2, seed 1',
      'Singular values of the merged ΔW: AuroRA r=2, seed 1',
    ]);
    for (const figure of await figures.all()) {
      expect(await figure.locator('svg').getAttribute('aria-label')).toMatch(/\d/);
      expect(await figure.locator('svg').innerHTML()).not.toMatch(/NaN|undefined|Infinity/);
      await figure.locator('summary').press('Enter');
      await expect.poll(() => figure.locator('tbody tr').count()).toBeGreaterThan(0);
      await figure.locator('vscode-button').press('Enter');
    }
    await expect.poll(() => copied.length).toBe(9);
    expect(copied[0].split('\r\n')[1]).toBe('LoRA r=2,"6,144",3,81.0,78.5 … 83.5');
    await page.locator('[data-field=delta]').selectOption('LoRA r=8');
    await expect
      .poll(() => figures.locator('figcaption').nth(7).innerText())
      .toBe('Merged ΔW over training: LoRA r=8, seed 1');
    await healthy(w!);
  });

  it('compares by a different metric and baseline and keeps the selection', async () => {
    const { page } = await open({ measured: true });
    await page.locator('[data-field=against]').selectOption('AuroRA r=2');
    await expect
      .poll(async () => (await differences(w!))[0])
      .toContain('LoRA r=2 is 2.0 points of accuracy below AuroRA r=2');
    await page.locator('[data-field=metric]').selectOption('loss');
    await expect
      .poll(async () => (await differences(w!))[0])
      .toMatch(/^The loss of .* higher than that of AuroRA r=2/);
    const sent = (await w!.opened.sent()).filter((m) => m.type === 'settings').at(-1);
    expect(sent).toEqual({ type: 'settings', settings: { metric: 'loss', against: 'AuroRA r=2' } });
    await healthy(w!);
    await w!.close();
    // A restored page requests the previous selection.
    w = await wire(whole, { state: { ui: { metric: 'loss', against: 'AuroRA r=2' } } });
    await expect
      .poll(async () => (await differences(w!))[0])
      .toMatch(/^The loss of .* higher than that of AuroRA r=2/);
    await expect.poll(() => w!.page.locator('[data-field=metric]').inputValue()).toBe('loss');
  });

  it('adds a run that ends while it is open and exports what it shows', async () => {
    const { page, session, runs } = await open();
    const experiment = runs[0].replace(/\/\.aurora\/.*/, '/demo.aurora.json');
    runs.push(finishedRun(experiment, METHODS[0][0], 4, 0.81));
    session.refresh();
    const cell = page
      .locator('section.data > .scroll')
      .first()
      .locator('tbody tr')
      .first()
      .locator('td')
      .first();
    await expect.poll(() => cell.innerText()).toBe('4');
    await page.locator('[data-action=export]').press('Enter');
    await expect.poll(() => w!.reports.length).toBe(1);
    expect([...w!.reports[0].keys()]).toEqual(
      expect.arrayContaining(['report.md', 'runs.csv', 'groups.csv', 'figures/1-trade.svg']),
    );
    expect(w!.reports[0].get('report.md')).toContain('AuroRA r=2 is 2.0 points of accuracy above LoRA r=2');
    await healthy(w!);
  });

  it('reports that there is nothing to compare yet', async () => {
    w = await wire((experiment) => [finishedRun(experiment, METHODS[0][0], 1, 0.8)]);
    await w.page.getByText('There is only one group, so there is nothing to compare it with').waitFor();
    w.runs.length = 0;
    w.session.refresh();
    await w.page.getByText('None of these runs has finished').waitFor();
    await healthy(w);
  });

  it('is legible and accessible in every theme', async () => {
    await open({ measured: true });
    for (const summary of await w!.page.locator('details.notes > summary').all())
      await summary.press('Enter');
    for (const theme of THEMES) {
      await w!.opened.look({ theme, width: 1000 });
      expect(await shownTexts(w!.page.mainFrame())).toBeGreaterThan(40);
      expect(await faintTexts(w!.page.mainFrame()), theme).toEqual([]);
      expect(await w!.opened.accessibility(), theme).toEqual([]);
      await w!.opened.screenshot(`study-${theme}`);
    }
    await healthy(w!);
  });

  it('fits into 320 pixels', async () => {
    const { page } = await open({ width: 320, measured: true });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    await w!.opened.screenshot('study-320');
  });
});

it('messages and saved panel states are validated', () => {
  expect(parseStudyMessage({ type: 'settings', settings: { metric: 'speed', against: 3 } })).toEqual({
    type: 'settings',
    settings: {},
  });
  expect([{ type: 'copy' }, { type: 'settings' }, { type: 'other' }, null].map(parseStudyMessage)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect([{ runs: [] }, { runs: [3] }, {}, undefined].map(parseStudyOpen)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(parseStudyOpen({ runs: ['/a'] })).toEqual({ runs: ['/a'] });
});
