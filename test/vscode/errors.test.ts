import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { predictionsFile } from '../../src/runs/predictions';
import { readRun } from '../read-run';
import { wrongOf } from '../../src/protocol/answers/kinds';
import { parsePredictions } from '../../src/protocol/predictions';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/** From a run to a data row that its model gets wrong; after a reload, and after the data were corrected. */
describe('Errors, in VS Code 1.100', () => {
  const lab = tinyWorkspace({ model: { maxLength: 8 }, training: { epochs: 2, learningRate: 0.003 } });
  const runs = join(lab.folder, '.aurora/runs/tiny');
  let server: WorkbenchServer;
  let window: Window;
  let run: string;
  let name: string;
  let best: number;

  beforeAll(async () => {
    expect(lab.run('train', lab.experiment).code).toBe(0);
    const [id] = readdirSync(runs);
    run = join(runs, id);
    name = '#1 AuroRA r2';
    const { events } = readRun(run);
    best = events.flatMap((e) => (e.kind === 'evaluation' && e.best ? [e.step] : [])).at(-1)!;
    server = await startWorkbench({ version: '1.100', name: 'errors', vsix: vsixHere() });
    window = await Window.open(server, lab.folder);
    await window.sideBar();
    await window.row(name).waitFor();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  const page = (): Promise<Frame> => window.frameWith('aurora-errors .matrix');
  const told = async () => (await page()).locator('.tools [role=status]').innerText();
  const title = () => `Errors: ${name}`;
  const predictions = (step = best) => {
    const file = predictionsFile(run, step);
    const parsed = parsePredictions(file, readFileSync(file, 'utf8'));
    if (parsed.answer !== 'label') throw new Error(`${file}: ${parsed.answer}`);
    return parsed;
  };
  const wrong = () => wrongOf(predictions()).reduce((n, w) => n + w, 0);
  const closeTab = async () => {
    await window.tab(title()).click({ button: 'middle' });
    await window.tab(title()).waitFor({ state: 'detached' });
  };

  test('the first view predicts the validation examples, and later ones show the stored predictions', async () => {
    expect(existsSync(predictionsFile(run, best))).toBe(false);
    await window.contextMenu(window.row(name), 'Show Errors');
    await window.tab(title()).waitFor();
    // The page is there before the predictions are.
    await expect.poll(() => existsSync(predictionsFile(run, best))).toBe(true);
    await expect.poll(told).toBe(`${wrong()} examples.`);
    await expect
      .poll(async () => (await page()).locator('.note').first().innerText())
      .toContain(`step ${best}`);
    await closeTab();
    await window.row(name).click();
    // By keyboard, because the row's tooltip may cover the page.
    const dashboard = await window.frameWith('aurora-run .readout');
    await dashboard.getByRole('button', { name: 'Show Errors' }).press('Enter');
    await window.tab(title()).waitFor();
    await closeTab();
    await window.row(name).click();
    await window.palette('AuroRA: Show Errors');
    // The only suitable run is picked automatically.
    await window.tab(title()).waitFor();
    await expect.poll(told).toBe(`${wrong()} examples.`);
    await closeTab();
  });

  test('a checkpoint has separate errors', async () => {
    await window.expand(window.row(name));
    await window.contextMenu(window.row('Checkpoint at step 3'), 'Show Errors');
    await window.tab(title()).waitFor();
    await expect.poll(async () => (await page()).locator('.note').first().innerText()).toContain('step 3');
    // They are kept once all texts are predicted; the page shows the first ones sooner.
    await expect.poll(() => existsSync(predictionsFile(run, 3))).toBe(true);
    expect(predictions(3).step).toBe(3);
    await closeTab();
    await window.contextMenu(window.row('Best adapter'), 'Show Errors');
    await window.tab(title()).waitFor();
    await expect
      .poll(async () => (await page()).locator('.note').first().innerText())
      .toContain(`step ${best}`);
  });

  test('a cell of the matrix lists its texts, and a text opens its data row', async () => {
    const frame = await page();
    const cells = frame.locator('.matrix td.wrong:not(.shade-0)');
    const n = Number(await cells.first().innerText());
    await cells.first().click();
    await expect.poll(told).toBe(n === 1 ? '1 example.' : `${n} examples.`);
    await expect.poll(() => frame.locator('.chip').count()).toBe(2);
    const line = await frame.locator('.list button').first().innerText();
    await frame.locator('.list tbody tr').first().locator('.text').click();
    await window.tab('validation.jsonl').waitFor();
    await window.statusBar(`Ln ${line}, Col 1`).waitFor();
    await window.tab('validation.jsonl').click({ button: 'middle' });
  });

  test('the rows can be copied', async () => {
    const frame = await page();
    const n = await frame.locator('.list tbody tr').count();
    await frame.locator('[data-action=copy]').click();
    const text = () => window.page.evaluate(() => navigator.clipboard.readText());
    await expect.poll(async () => (await text()).trim().split(/\r?\n/).length).toBe(n + 1);
  });

  test('the state is kept when the page is hidden and after a reload', async () => {
    const before = await told();
    await window.openFile('tiny.aurora.json');
    await window.tab(title()).click();
    await expect.poll(told).toBe(before);
    await window.reload();
    await expect.poll(told, { timeout: 900_000 }).toBe(before);
    await expect.poll(async () => (await page()).locator('.chip').count()).toBe(2);
  });

  test('corrected data are reported and predicted again', async () => {
    const { columns, labels } = predictions();
    const before = wrong();
    const at = wrongOf(predictions()).indexOf(1);
    const [is, should] = [columns.label[at], columns.predicted[at]].map((label) => labels[label]);
    const frame = await page();
    await frame.getByText('Remove all').click();
    await frame.locator(`tr[data-example="${at}"] button`).click();
    await window.tab('validation.jsonl').waitFor();
    await window.statusBar(`Ln ${columns.line[at]}, Col 1`).waitFor();
    // The label is at the end of the row, before a quotation mark and a bracket.
    await window.page.keyboard.press('End');
    for (const key of ['ArrowLeft', 'ArrowLeft']) await window.page.keyboard.press(key);
    for (let i = 0; i < is.length; i++) await window.page.keyboard.press('Backspace');
    await window.page.keyboard.type(should);
    await window.page.keyboard.press('Control+S');
    const again = (await page()).locator('.notice [data-action=predict]');
    await again.click();
    await expect.poll(() => wrong(), { timeout: 900_000 }).toBe(before - 1);
    await again.waitFor({ state: 'detached' });
    await expect.poll(told).toBe(`${before - 1} examples.`);
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
