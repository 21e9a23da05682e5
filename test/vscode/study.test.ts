import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

const LORA = 'adapter={"method":"lora","rank":2,"alpha":4,"targetModules":["query","value"]}';

/** From an experiment with finished runs to their joint results, measured, exported and reloaded. */
describe('Study, in VS Code 1.100', () => {
  const lab = tinyWorkspace({ training: { epochs: 2, learningRate: 0.003 } });
  const runs = join(lab.folder, '.aurora/runs/tiny');
  let server: WorkbenchServer;
  let window: Window;
  const train = (seed: number, ...more: string[]) =>
    expect(lab.run('train', lab.experiment, '--set', `training.seed=${seed}`, ...more).code).toBe(0);

  beforeAll(async () => {
    for (const seed of [1, 2]) {
      train(seed);
      train(seed, '--set', LORA);
    }
    server = await startWorkbench({ version: '1.100', name: 'study', vsix: vsixHere() });
    window = await Window.open(server, lab.folder);
    await window.sideBar();
    await window.row('tiny').waitFor();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  const page = (): Promise<Frame> => window.frameWith('aurora-study section.data');
  /** Each group and its number of runs, which is stated below the table if it is the same for all. */
  const groups = async () => {
    const section = (await page()).locator('section.data');
    const table = section.locator('> .scroll').first();
    const at = (await table.locator('thead th').allInnerTexts()).indexOf('runs');
    const same = at < 0 && /runs (\d+)/.exec(await section.locator('[data-fact=same]').innerText())?.[1];
    const rows = await table.locator('tbody tr').all();
    return Promise.all(
      rows.map(async (row) => {
        const cells = await row.locator('th, td').allInnerTexts();
        return `${cells[0]} × ${same || cells[at]}`;
      }),
    );
  };
  const difference = async () => (await page()).locator('.differences li').first().innerText();

  test("an experiment's runs are compared, and missing data are measured on request", async () => {
    await window.contextMenu(window.row('tiny'), 'Open Study');
    await window.tab('Study: tiny').waitFor();
    await expect.poll(groups).toEqual(['LoRA r=2 × 2', 'AuroRA r=2 × 2']);
    await expect.poll(() => difference()).toContain('Paired test over 2 seeds (1, 2) only');
    await (await page()).locator('[data-action=measure]').click();
    await expect.poll(difference, { timeout: 900_000 }).toContain('and 24 validation examples');
    for (const id of readdirSync(runs)) expect(existsSync(join(runs, id, 'study/geometry.json'))).toBe(true);
    const titles = await (await page()).locator('figcaption').allInnerTexts();
    expect(titles).toContain('As trained and merged into the weights');
    expect(titles.at(-1)).toContain('Singular values of the merged ΔW');
  });

  test('a run that ends elsewhere is added automatically', async () => {
    train(3);
    await expect.poll(groups, { timeout: 900_000 }).toEqual(['LoRA r=2 × 2', 'AuroRA r=2 × 3']);
  });

  test('the selection is kept after a reload', async () => {
    await (await page()).locator('[data-field=against]').selectOption('AuroRA r=2');
    await expect.poll(difference).toMatch(/^LoRA r=2 .*AuroRA r=2/);
    await window.reload();
    await expect.poll(difference, { timeout: 900_000 }).toMatch(/^LoRA r=2 .*AuroRA r=2/);
    await expect.poll(groups).toEqual(['LoRA r=2 × 2', 'AuroRA r=2 × 3']);
  });

  test('the report is written to the chosen folder and opened', async () => {
    await (await page()).locator('[data-action=export]').click();
    await window.folder(lab.folder, 'Export Here');
    const folder = join(lab.folder, 'study-of-tiny');
    await window.tab('Preview report.md').waitFor();
    const text = readFileSync(join(folder, 'report.md'), 'utf8');
    expect(text).toContain('| AuroRA r=2 | 3 |');
    for (const [, file] of text.matchAll(/\]\(([^)]+)\)/g)) expect(existsSync(join(folder, file))).toBe(true);
  });

  test('selected runs form a separate study', async () => {
    await window.sideBar();
    const rows = window.pane('Experiments').locator('.monaco-list-row');
    await rows.nth(1).click();
    await rows.nth(2).click({ modifiers: ['Control'] });
    await window.contextMenu(rows.nth(2), 'Open Study');
    await window.tab('Study: 2 runs').waitFor();
    await expect.poll(groups).toHaveLength(2);
  });

  test('a table filters the runs, draws the curves of the checked ones, and is exported as CSV', async () => {
    await window.palette('AuroRA: Show Runs Table');
    const table = await window.frameWith('aurora-runs .row');
    const rows = () => table.locator('.row').count();
    await table.locator('[data-field=filter]').fill('');
    await expect.poll(rows).toBe(5);
    await table.locator('[data-field=filter]').fill('method = aurora and seed <=');
    await table.locator('.problem', { hasText: 'Expected a value' }).waitFor();
    await table.locator('[data-field=filter]').fill('method = aurora and seed <= 2');
    await expect.poll(rows).toBe(2);
    for (const box of await table.locator('.row input').all()) await box.check();
    await expect
      .poll(() =>
        table
          .locator('[data-curves]')
          .evaluateAll((all) => all.map((c) => (c as HTMLElement).dataset.curves)),
      )
      .toEqual(['2', '2']);
    await window.screenshot('runs-table');
    await table.locator('[data-action=csv]').click();
    await window.acceptFile('runs.csv');
    const csv = join(lab.folder, 'runs.csv');
    await expect.poll(() => existsSync(csv)).toBe(true);
    const lines = readFileSync(csv, 'utf8').trim().split('\r\n');
    expect(lines[0]).toMatch(/^name,state,alarms,accuracy,loss,/);
    expect(lines).toHaveLength(3);
  });

  test('the table keeps its filter and its checked runs after a reload', async () => {
    await window.reload();
    const table = await window.frameWith('aurora-runs .row');
    await expect
      .poll(() => table.locator('[data-field=filter]').inputValue())
      .toBe('method = aurora and seed <= 2');
    await expect.poll(() => table.locator('.row input:checked').count()).toBe(2);
    await table.locator('[data-action=study]').click();
    await window.tab('Study: 2 runs').waitFor();
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
