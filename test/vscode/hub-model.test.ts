import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { ExperimentText } from '../../src/runs/experiment/experiment-text';
import { closeBrowser } from './driver/browser';
import { Dashboard } from './driver/dashboard';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { Wizard } from './driver/wizard';
import { comparable, journalAt } from './journal';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/** From a folder as the hub has it to a training curve, without an export. */
describe('a folder from the hub, in VS Code 1.100', () => {
  const lab = tinyWorkspace();
  const folder = lab.path('bert');
  const name = `${basename(lab.folder)}-aurora`;
  const runs = join(lab.folder, '.aurora/runs', name);
  let server: WorkbenchServer;
  let window: Window;

  const inExplorer = (text: string) =>
    window.page.locator('.explorer-folders-view .monaco-list-row', { hasText: text }).first();

  beforeAll(async () => {
    for (const file of ['tiny.aurora.json', 'model.onnx']) rmSync(lab.path(file));
    cpSync(resolve('test/fixtures/hf/bert'), folder, { recursive: true });
    for (const file of ['tokenizer.json', 'tokenizer_config.json'])
      renameSync(lab.path(file), join(folder, file));
    cpSync(folder, lab.path('decoder'), { recursive: true });
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
    lab.write(
      'decoder/config.json',
      JSON.stringify({ ...config, is_decoder: true, pruned_heads: { 0: [1] } }),
    );
    mkdirSync(lab.path('notes'));
    lab.write('notes/config.json', '{}');
    server = await startWorkbench({ version: '1.100', name: 'hub-model', vsix: vsixHere() });
    window = await Window.open(server, lab.folder);
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  test('the menu of a model folder starts an experiment; that of another folder does not offer it', async () => {
    await window.palette('View: Show Explorer');
    await window.contextMenu(inExplorer('bert'), 'New Experiment from Model');
    const wizard = new Wizard(window);
    await wizard.asks('Select the kind of task');
    expect(await wizard.title()).toMatch(/^New Experiment \(1 of about \d+\)$/);
    // The model's facts, and the cost of a step.
    expect((await wizard.rows())[0]).toMatch(
      /bert[^]*bert · [\d,]+ parameters · \d+ layers to adapt[^]*takes [\d.]+ MB, about .* \(batch 8 × 24 tokens/,
    );
    await wizard.classifyTexts();
    await wizard.acceptAdapter();
    // From the method on, the rest is known.
    await expect.poll(() => wizard.title()).toBe('New Experiment (10 of 12)');
    await wizard.accept('Select the longest text, in tokens, or type another number up to 24.');
    await wizard.asks('Select the batch size');
    const batches = async () => (await wizard.rows()).join('\n');
    await expect
      .poll(batches)
      .toMatch(/\b16[^]*?[\d.]+ MB, about [\d.]+ m?s per step[^]*\b32[^]*the default/);
    await window.page.keyboard.type('12');
    await expect.poll(batches).toMatch(/^12[^]*[\d.]+ MB, about [\d.]+ m?s per step/);
    await window.page.keyboard.press('Enter');
    await wizard.accept('file name of the experiment');
    await window.tab(`${name}.aurora.json`).waitFor();
    const text = readFileSync(lab.path(`${name}.aurora.json`), 'utf8');
    expect(new ExperimentText('', text).value()).toMatchObject({
      model: { path: 'bert', maxLength: 24 },
      adapter: { targetModules: ['query', 'value'] },
      training: { batchSize: 12 },
    });
    expect(text).not.toContain('tokenizer');
    await inExplorer('notes').click({ button: 'right' });
    const menu = window.page.locator('.monaco-menu');
    await menu.locator('.action-label', { hasText: 'Rename' }).first().waitFor();
    expect(await menu.innerText()).not.toContain('New Experiment');
    await window.page.keyboard.press('Escape');
  });

  test('a folder that is refused says why in the wizard, key by key, and in its report', async () => {
    await window.contextMenu(inExplorer('decoder'), 'New Experiment from Model');
    const wizard = new Wizard(window);
    await wizard.asks('decoder cannot be used: select another model');
    const shown = (await wizard.rows()).join('\n');
    expect(shown).toMatch(
      /config\.json: pruned_heads is [^]*config\.json: is_decoder is true[^]*Export the model/,
    );
    await window.pick('Show Report');
    await window.tab('Preview decoder.md').waitFor();
    // The step stays open; the preview takes the focus when it has been drawn.
    await window.settled();
    await wizard.find('decoder cannot be used', 'bert');
    await wizard.asks('Select the kind of task');
    await window.page.keyboard.press('Escape');
    await window.palette('View: Close All Editors');
    rmSync(lab.path('decoder'), { recursive: true });
  });

  test('the experiment runs, and its curve begins', async () => {
    await window.palette('AuroRA: Run Experiment');
    const dashboard = await Dashboard.in(window);
    await expect.poll(() => existsSync(runs) && readdirSync(runs).length).toBe(1);
    const [run] = readdirSync(runs).map((id) => join(runs, id));
    const shown = await dashboard.newest();
    expect(comparable(shown)).toEqual(journalAt(run, shown));
    await expect.poll(() => existsSync(join(run, 'result.json')), { timeout: 600_000 }).toBe(true);
  });

  test('the run is exported as such a folder again', async () => {
    await window.palette('AuroRA: Export Run');
    await window.pick('safetensors');
    await window.pick('Fitted');
    await window.pick('In the run folder');
    // A merge that loses more than a point asks first.
    const asked = window.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Export Anyway' });
    const done = window.toast(/exported: /);
    await asked.or(done).first().waitFor({ timeout: 300_000 });
    if (await asked.isVisible()) await asked.click();
    await done.waitFor({ timeout: 300_000 });
    const [run] = readdirSync(runs).map((id) => join(runs, id));
    const [exported] = readdirSync(join(run, 'export'));
    expect(exported).toMatch(/^safetensors-step-/);
    const files = readdirSync(join(run, 'export', exported));
    expect(files).toEqual(expect.arrayContaining(['config.json', 'model.safetensors', 'tokenizer.json']));
  });

  test('the Models view says what the folder offers and what a training step takes', async () => {
    await window.sideBar();
    await window.palette('View: Close All Editors');
    await window.pane('Models').locator('.pane-header').click();
    const model = window.row('bert');
    await window.expand(model);
    const shown = async () => (await window.rows('Models')).join('\n');
    await expect
      .poll(shown)
      .toMatch(/[\d.]+ MB, about [\d.]+ m?s per step.*batch 8 × 24 tokens, AuroRA r=2/s);
    expect(await shown()).toMatch(/bert · float, [\d.]+ KB/);
    expect(await shown()).toContain('query');
  });

  test('Estimate Training Step asks for the batch and the length', async () => {
    await window.contextMenu(window.row('per step'), 'Estimate Training Step');
    await window.input('Examples in a batch', '2');
    await window.input('Tokens per text', '16');
    await window.said(
      /A training step of bert takes [\d.]+ MB, about .* \(batch 2 × 16 tokens, AuroRA r=2\)/,
    );
    await window.row('batch 2 × 16 tokens').waitFor();
  });

  test('the calculator opens on the folder', async () => {
    await window.contextMenu(window.row(/^bert/), 'Open Budget Calculator');
    await window.tab('Budget: bert').waitFor();
    const page = await window.frameWith('aurora-budget .total strong');
    expect(await page.locator('#model').getAttribute('data-value')).toBe(`file:${folder}`);
    const step = page.locator('section.step');
    await step.getByText('Estimate', { exact: true }).click();
    await step.locator('dt', { hasText: 'Time' }).waitFor();
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
