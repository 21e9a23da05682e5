import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { ExperimentText } from '../../src/runs/experiment/experiment-text';
import type { RunEvent } from '../../src/protocol/events';
import { metricCells } from '../../src/experiment/metrics';
import { closeBrowser } from './driver/browser';
import { Dashboard } from './driver/dashboard';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { Wizard } from './driver/wizard';
import { statusOf } from './journal';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/** The Machine view refreshes every five seconds. */
const SLOW = { timeout: 900_000 };

/** From a model and a table of texts to a finished run and a fork of it, with palette and menus. */
describe('from an empty folder to a run, in VS Code 1.100', () => {
  const lab = tinyWorkspace();
  rmSync(lab.experiment);
  // The default name of an experiment comes from its folder.
  const name = `${basename(lab.folder)}-aurora`;
  const runs = join(lab.folder, '.aurora/runs', name);
  const runFolders = () => readdirSync(runs).sort().map((id) => join(runs, id)); // prettier-ignore
  let server: WorkbenchServer;
  let window: Window;
  let wizard: Wizard;

  beforeAll(async () => {
    server = await startWorkbench({ version: '1.100', name: 'create', vsix: vsixHere() });
    window = await Window.open(server, lab.folder);
    wizard = new Wizard(window);
    await window.sideBar();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  test('an empty folder shows the first step', async () => {
    await window.pane('Experiments').getByText('No experiments in this folder yet.').waitFor();
    const offered = (await window.offered('AuroRA: Run')).join('\n');
    expect(offered).toContain('AuroRA: Run the Demo');
    expect(offered).not.toContain('Run Experiment');
  });

  test("without an experiment, the calculator shows the paper's models and results", async () => {
    await window.palette('AuroRA: Open Budget Calculator');
    const page = await window.frameWith('aurora-budget .paper');
    await page.locator('.total strong', { hasText: '74,208' }).waitFor();
    const paper = page.locator('.paper');
    expect(await paper.innerText()).toContain('arXiv 2505.18738');
    expect(await paper.locator('tr', { hasText: 'RTE' }).first().innerText()).toMatch(
      /78\.7\s+78\.4\s+85\.2/,
    );
    await window.palette('View: Close All Editors');
  });

  test("New Experiment asks for model, data, method and name and offers the folder's files", async () => {
    await window.palette('AuroRA: New Experiment');
    await wizard.asks('Select the model to adapt');
    expect(await wizard.title()).toMatch(/^New Experiment \(1 of about \d+\)$/);
    expect((await wizard.rows()).join('\n')).toContain('model.onnx');
    await window.pick('model.onnx');
    await wizard.asks('Select the kind of task');
    expect((await wizard.rows()).join('\n')).toMatch(
      /Text regression[^]*A number for each text or pair of texts/,
    );
    await window.pick('Text classification');
    await wizard.asks('labeled training texts');
    const offered = (await wizard.rows()).join('\n');
    expect(offered).toContain('train.jsonl');
    expect(offered).not.toContain('tokenizer');
    await window.pick('train.jsonl');
    await wizard.choose('Select the text column', 'text');
    await wizard.choose('Select the label column', 'label');
    await wizard.choose('Select validation data', 'validation.jsonl');
    await wizard.choose('Select settings', 'Defaults');
    await wizard.choose('Select a method', 'AuroRA');
    await wizard.asks('Select the layers');
    // Query and value are preselected, as in the paper, with their cost.
    expect(await wizard.title()).toMatch(/4 of 12 layers match, .*592/);
    await window.page.locator('.quick-input-widget').getByRole('button', { name: 'OK' }).click();
    await wizard.accept('Select a rank');
    await wizard.acceptSize('text');
    await wizard.accept('file name of the experiment');
    await window.tab(`${name}.aurora.json`).waitFor();
    const file = join(lab.folder, `${name}.aurora.json`);
    const written = new ExperimentText(file, readFileSync(file, 'utf8')).value();
    expect(written).toMatchObject({
      model: { path: 'model.onnx' },
      data: {
        train: 'train.jsonl',
        validation: 'validation.jsonl',
        textColumn: 'text',
        labelColumn: 'label',
      },
      adapter: { method: 'aurora', rank: 2, targetModules: ['query', 'value'] },
    });
  });

  test('the new file has a CodeLens with the budget and no problems', async () => {
    const lens = window.page.locator('.codelens-decoration');
    await lens
      .getByText(/592 trainable/)
      .first()
      .waitFor();
    await lens.getByText('Preflight').first().waitFor();
    expect(await window.page.locator('.squiggly-error, .squiggly-warning').count()).toBe(0);
  });

  test('Preflight reports the measured time and its findings and has a report', async () => {
    await window.palette('AuroRA: Run Preflight');
    await window.toast(/Preflight of/).waitFor();
    const measured = /\d+(\.\d+)? m?s\/step on \w+ · .* · \d+(\.\d+)? (MB|GB)/;
    await window.toast(measured).waitFor({ timeout: 900_000 });
    expect(await window.toast(measured).innerText()).toContain(name);
    await window.pressToast(measured, 'Show Report');
    const report = await window.frameWith('h1:has-text("Preflight of")');
    await expect
      .poll(() => report.locator('body').innerText())
      .toContain('4 of 12 linear layers get an adapter');
    expect(existsSync(runs), 'it leaves nothing behind').toBe(false);
  });

  test('Run Experiment runs to the end, and the dashboard shows the numbers of result.json', async () => {
    await window.tab(`${name}.aurora.json`).click();
    await window.palette('AuroRA: Run Experiment');
    await expect.poll(() => existsSync(runs) && runFolders().length, { timeout: 900_000 }).toBe(1);
    const [run] = runFolders();
    const dashboard = await Dashboard.in(window);
    await expect.poll(() => existsSync(join(run, 'result.json')), { timeout: 900_000 }).toBe(true);
    await expect.poll(() => statusOf(run).state).toBe('finished');
    const names = ['loss', 'accuracy', 'f1', 'macroF1', 'weightedF1', 'matthews'] as const;
    type Metrics = Record<'step' | (typeof names)[number], number>;
    const { best, last, steps } = JSON.parse(readFileSync(join(run, 'result.json'), 'utf8')) as {
      best: Metrics;
      last: Metrics;
      steps: number;
    };
    const shown = (m: Metrics) => metricCells(names, m);
    await expect
      .poll(() => dashboard.table('metrics'))
      .toMatchObject([
        expect.arrayContaining(['best', String(best.step), ...shown(best)]),
        ['last', String(steps), ...shown(last)],
      ]);
    expect((await dashboard.newest()).step).toBe(steps);
    const header = await dashboard.frame.locator('.run-header').innerText();
    expect(header).toMatch(/Time per step\s+\d+(\.\d+)? m?s/);
    expect(header).toMatch(/Memory\s+\d+(\.\d+)? [MG]B/);
  });

  test('the tree expands the experiment to show the run and leaves the focus where it was', async () => {
    const rows = await window.rows();
    expect(rows.some((row) => row.includes(name))).toBe(true);
    await expect.poll(async () => (await window.rows()).some((row) => /AuroRA r2/.test(row))).toBe(true);
    expect(await window.page.locator('.sidebar .monaco-list:focus-within').count()).toBe(0);
  });

  test('Fork Run from the palette with one changed setting shows both runs in one chart', async () => {
    const before = runFolders();
    await window.palette('AuroRA: Fork Run');
    // The only run is picked automatically.
    await window.page
      .locator('.quick-input-title', { hasText: 'select the checkpoint to start from' })
      .waitFor();
    const [step] = (await wizard.rows())
      .map((row) => Number(/Step (\d+)/.exec(row)?.[1]))
      .sort((a, b) => a - b);
    await window.pick(`Step ${step}`);
    await window.pick('training.learningRate');
    await window.input('new value of training.learningRate', '0.02');
    await window.page.locator('.quick-input-title', { hasText: 'select another setting' }).waitFor();
    await window.page.locator('.quick-input-widget input').first().fill('training.weightDecay');
    await window.pick('training.weightDecay');
    await window.input('new value of training.weightDecay', '0.1');
    await window.pick('Fork with 2 Changes');
    const fork = await newRun(before);
    const changed = [
      { key: 'training.learningRate', from: 0.002, to: 0.02 },
      expect.objectContaining({ key: 'training.weightDecay', to: 0.1 }) as unknown,
    ];
    await overlaid(fork, step, expect.arrayContaining(changed));
  });

  test('Fork Here works from a point of the curve, by keyboard, without changes', async () => {
    const before = runFolders();
    await window.palette('AuroRA: Open Run Dashboard');
    await window.page
      .locator('.quick-input-title', { hasText: 'Select a run to open its dashboard' })
      .waitFor();
    await window.page.locator('.quick-input-list .monaco-list-row').last().click();
    const dashboard = await Dashboard.of(window, [runFolders()[0]]);
    const { keyboard } = window.page;
    const slider = dashboard.frame.locator('[data-chart="loss"] [role="slider"]');
    await slider.press('End');
    // After the last step, nothing is left to train.
    for (let i = 0; i < 3; i++) await slider.press('ArrowLeft');
    await slider.press('Shift+F10');
    const menu = dashboard.frame.getByRole('menu');
    await menu.waitFor();
    const step = Number(/Fork from Step (\d+)/.exec(await menu.innerText())?.[1]);
    await expect.poll(() => menu.locator(':focus').count()).toBe(1);
    await keyboard.press('Enter');
    await window.page.locator('.quick-input-title', { hasText: `Fork at step ${step}` }).waitFor();
    await window.page.locator('.quick-input-widget input').first().fill('Keep All Settings');
    await keyboard.press('Enter');
    await overlaid(await newRun(before), step, []);
  });

  test("New Experiment from Model works from a model's menu in the Explorer", async () => {
    await window.palette('View: Show Explorer');
    const model = window.page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'model.onnx' });
    await window.contextMenu(model, 'New Experiment from Model');
    // The model is known, so the wizard starts with the next question.
    await wizard.asks('Select the kind of task');
    expect(await wizard.title()).toMatch(/\(1 of about \d+\)$/);
    await wizard.classifyTexts('Hold out 10%');
    await wizard.choose('Select settings', 'Defaults');
    await wizard.choose('Select a method', 'Head only');
    await wizard.acceptSize('text');
    await wizard.accept('file name of the experiment');
    const file = `${basename(lab.folder)}-head.aurora.json`;
    await window.tab(file).waitFor();
    const text = readFileSync(join(lab.folder, file), 'utf8');
    expect(new ExperimentText(file, text).value()).toMatchObject({
      model: { path: 'model.onnx' },
      data: { validationFraction: 0.1 },
      adapter: { method: 'none' },
    });
  });

  test('New Experiment takes over a recipe from the paper with its source and what it leaves out', async () => {
    await window.sideBar();
    await window.palette('AuroRA: New Experiment');
    await wizard.choose('Select the model to adapt', 'model.onnx');
    await wizard.classifyTexts();
    await wizard.asks('Select settings');
    await window.page.keyboard.type('CoLA with RoBERTa-Base');
    const [row] = await wizard.rows();
    expect(row).toMatch(/90 epochs · batch 32 · learning rate 5e-3/);
    expect(row).toMatch(/arXiv 2505\.18738 · published 65\.1 · not specified: weight decay/);
    await window.page.keyboard.press('Enter');
    // The description of AuroRA also contains "LoRA".
    await wizard.choose('Select a method', 'two low-rank matrices');
    await wizard.asks('Select the layers');
    await window.page.locator('.quick-input-widget').getByRole('button', { name: 'OK' }).click();
    await wizard.accept('Select a rank');
    await wizard.acceptSize('text');
    await wizard.accept('file name of the experiment');
    const file = `${basename(lab.folder)}-lora.aurora.json`;
    await window.tab(file).waitFor();
    const text = readFileSync(join(lab.folder, file), 'utf8');
    expect(text).toMatch(/paper \(arXiv 2505\.18738\) for CoLA with RoBERTa-Base/);
    expect(text).toContain('Not specified in the paper: weight decay');
    expect(new ExperimentText(file, text).value()).toMatchObject({
      model: { path: 'model.onnx', maxLength: 512 },
      adapter: { method: 'lora', rank: 8, targetModules: ['query', 'value'] },
      training: { epochs: 90, learningRate: 5e-3, warmupRatio: 0.06, metric: 'matthews' },
    });
    await window.page
      .locator('.codelens-decoration')
      .getByText(/trainable/)
      .first()
      .waitFor();
    expect(await window.page.locator('.squiggly-error, .squiggly-warning').count()).toBe(0);
    rmSync(join(lab.folder, file));
  });

  test('a question stays open when the focus moves, and Escape leaves nothing behind (T5)', async () => {
    const before = readdirSync(lab.folder).sort();
    await window.palette('AuroRA: New Experiment');
    await wizard.asks('Select the model to adapt');
    await window.page.locator('.editor-container').first().click();
    await window.page.waitForTimeout(500);
    await wizard.asks('Select the model to adapt');
    await window.page.locator('.quick-input-widget input').first().press('Escape');
    await window.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    expect(readdirSync(lab.folder).sort()).toEqual(before);
  });

  test('a missing Node is reported only on training, with one next action (T10)', async () => {
    const machine = join(server.profile, 'data/Machine/settings.json');
    writeFileSync(machine, JSON.stringify({ 'aurora.nodePath': '/nowhere/node' }));
    const before = runFolders();
    await window.sideBar();
    await window.pane('Machine').locator('.pane-header').click();
    // The Machine view updates automatically and without a notification.
    await expect.poll(async () => (await window.rows('Machine')).join('\n'), SLOW).toContain('/nowhere/node');
    await window.palette('Notifications: Clear All Notifications');
    await window.page.waitForTimeout(1000);
    expect(await window.page.locator('.notification-toast').count()).toBe(0);
    await window.openFile(`${name}.aurora.json`);
    for (const command of ['Run Experiment', 'Run Preflight']) {
      await window.palette(`AuroRA: ${command}`);
      const said = window.toast('The setting aurora.nodePath is /nowhere/node, which does not exist');
      await said.waitFor();
      expect(await said.locator('.monaco-button').allInnerTexts()).toEqual(['Open Settings']);
      await window.palette('Notifications: Clear All Notifications');
      await said.waitFor({ state: 'hidden' });
    }
    expect(runFolders()).toEqual(before);
    rmSync(machine);
    await expect
      .poll(async () => (await window.rows('Machine')).join('\n'), SLOW)
      .not.toContain('/nowhere/node');
  });

  test('missing data are reported at their place in the file (T10)', async () => {
    const before = runFolders();
    renameSync(lab.path('validation.jsonl'), lab.path('elsewhere.jsonl'));
    await window.openFile(`${name}.aurora.json`);
    await window.palette('AuroRA: Run Experiment');
    const said = window.toast(/validation file .*validation\.jsonl does not exist/);
    await said.waitFor();
    expect(await said.locator('.monaco-button').allInnerTexts()).toEqual(['Show Problems']);
    const line = readFileSync(join(lab.folder, `${name}.aurora.json`), 'utf8').split('\n');
    const at = line.findIndex((text) => text.includes('"validation"')) + 1;
    await window.statusBar(`Ln ${at},`).waitFor();
    expect(runFolders()).toEqual(before);
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));

  /** The run that did not exist before. */
  async function newRun(before: readonly string[]): Promise<string> {
    const others = () => runFolders().filter((run) => !before.includes(run));
    await expect.poll(() => others().length, { timeout: 900_000 }).toBe(1);
    return others()[0];
  }

  /** Expects an open dashboard of both runs, and the fork's first journal line to state its origin. */
  async function overlaid(fork: string, fromStep: number, changed: unknown): Promise<void> {
    const dashboard = await Dashboard.of(window, [runFolders()[0], fork]);
    await expect.poll(() => existsSync(join(fork, 'result.json')), { timeout: 900_000 }).toBe(true);
    const [first] = readFileSync(join(fork, 'events.jsonl'), 'utf8').split('\n');
    expect(JSON.parse(first) as RunEvent).toMatchObject({ kind: 'forked', fromStep, changed });
    await expect
      .poll(async () => (await dashboard.table('metrics')).filter((row) => row.includes('last')).length)
      .toBe(2);
  }
});
