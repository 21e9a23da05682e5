import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { readSafetensors } from '../../src/graph/file/safetensors';
import type { ExportRecord } from '../../src/protocol/export';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/** Export and import from the tree, the dashboard and the palette, with the question that a merge may ask. */
describe('exports and imports, in VS Code 1.139', () => {
  // σ(0) of a sigmoid is far from zero, so the paper's merge loses a lot.
  const lab = tinyWorkspace({
    training: { epochs: 3, learningRate: 0.05, evaluateEvery: 'epoch', metric: 'loss' },
    adapter: { method: 'aurora', activation: 'sigmoid', alpha: 64, targetModules: ['query', 'value'] },
  });
  const runs = join(lab.folder, '.aurora/runs/tiny');
  let server: WorkbenchServer;
  let window: Window;
  let run: string;
  let name: string;

  beforeAll(async () => {
    expect(lab.run('train', lab.experiment, '--device', 'cpu').code).toBe(0);
    const [id] = readdirSync(runs);
    run = join(runs, id);
    name = '#1 AuroRA r2';
    server = await startWorkbench({ version: '1.139', name: 'transfer', vsix: vsixHere() });
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

  const exports = () => (existsSync(join(run, 'export')) ? readdirSync(join(run, 'export')) : []);
  const record = (folder: string) =>
    JSON.parse(readFileSync(join(run, 'export', folder, 'export.json'), 'utf8')) as ExportRecord;
  /** Answers the questions of an export. @param merge where AuroRA is merged */
  const choose = async (form: string, merge?: string) => {
    await window.pick(form);
    if (merge !== undefined) await window.pick(merge);
    await window.pick('In the run folder');
  };

  test('a run is exported from the tree, and its model card is one click away', async () => {
    await window.contextMenu(window.row(name), 'Export Run');
    await choose('onnx-dynamic');
    await window.toast('ONNX model exported: loss').waitFor();
    await window.pressToast('ONNX model exported', 'Open Model Card');
    const card = await window.frameWith('h1:has-text("tiny")');
    expect(await card.locator('body').innerText()).toContain('these files (onnx-dynamic)');
    const [folder] = exports();
    expect(folder).toMatch(/^onnx-dynamic-step-0000\d\d$/);
    const { metrics, step } = record(folder);
    expect(metrics.exported.loss).toBeCloseTo(metrics.trained.loss, 4);
    await window.expand(window.row(name));
    await expect
      .poll(() => window.rows())
      .toContainEqual(expect.stringContaining(`${metrics.exported.loss.toFixed(4)} loss · step ${step}`));
  });

  test('a merge that loses too much asks, from the dashboard, and leaves nothing if declined', async () => {
    await window.palette('View: Close All Editors');
    await window.row(name).click();
    await window.page.mouse.move(900, 700);
    const dashboard = await window.frameWith('aurora-run .readout');
    await dashboard.getByRole('button', { name: 'Export' }).click();
    await choose('onnx-merged', 'The paper’s merge');
    await window.modal('loss changes from', 'Cancel');
    await expect.poll(exports).toHaveLength(1);
    await dashboard.getByRole('button', { name: 'Export' }).click();
    await choose('onnx-merged', 'The paper’s merge');
    await window.modal('Merged ONNX model: loss changes from', 'Export Anyway');
    await window.toast('Merged ONNX model exported').waitFor();
    const merged = exports().find((f) => f.startsWith('onnx-merged'))!;
    expect(record(merged).drop.loss).toBeGreaterThan(1);
    expect(record(merged)).toMatchObject({ merge: 'paper', metrics: { fitted: { examples: 24 } } });
    // No partial files are left beside them.
    expect(readdirSync(join(run, 'export')).filter((f) => f.startsWith('.'))).toEqual([]);
    expect(readdirSync(run).filter((f) => f.startsWith('export-'))).toEqual([]);
  });

  test('a checkpoint is exported in the state of its step', async () => {
    await window.contextMenu(window.row('Checkpoint at step 12'), 'Export Run');
    await choose('adapter');
    await window.toast('Adapter exported').waitFor();
    const folder = join(run, 'export', 'adapter-step-000012');
    expect(readdirSync(folder)).toContain('aurora_peft_loader.py');
    const exported = readSafetensors(join(folder, 'adapter_model.safetensors')).tensors;
    const saved = readSafetensors(join(run, 'checkpoints/step-000012/adapter.safetensors')).tensors;
    expect([...exported.get('base_model.model.layer.0.query.aurora_B.weight')!.data]).toEqual([
      ...saved.get('layer.0.query.B')!.data,
    ]);
  });

  test('the fit is refined for as many steps as are asked for', async () => {
    await window.contextMenu(window.row(name), 'Export Run');
    await window.pick('peft-lora');
    await window.pick('Fitted and refined…');
    // Enough to be better than the run, so that nothing is asked.
    await window.input('Training steps', '72');
    await window.pick('In the run folder');
    await window.toast('PEFT LoRA exported').waitFor();
    const [folder] = exports().filter((f) => f.startsWith('peft-lora-refined'));
    expect(record(folder)).toMatchObject({ merge: 'fitted', refinement: { steps: 72, of: 72 } });
  });

  test('an adapter is imported into an experiment as a run that can be trained further', async () => {
    await window.contextMenu(window.row('tiny'), 'Import Adapter');
    await window.folder(join(run, 'export', 'adapter-step-000012'), 'Import');
    await window.toast('adapter-step-000012 was imported as a run: loss').waitFor();
    await window.row(/adapter-step-000012\s*loss · imported/).waitFor();
    const dashboard = await window.frameWith('aurora-run .run-header:has-text("Imported from")');
    expect(await dashboard.locator('.run-header').innerText()).toContain(
      'Imported from adapter-step-000012 (AURORA).',
    );
    const imported = readdirSync(runs).find((id) => join(runs, id) !== run)!;
    const bytes = (r: string, step: string) =>
      readFileSync(join(r, 'checkpoints', step, 'adapter.safetensors'));
    expect(bytes(join(runs, imported), 'step-000000').equals(bytes(run, 'step-000012'))).toBe(true);
    await window.pressToast('was imported as a run', 'Continue Training');
    const finished = () => existsSync(join(runs, imported, 'result.json'));
    await expect.poll(finished, { timeout: 900_000 }).toBe(true);
  });

  test('several runs are exported one after the other, from the menu of a checked row of the runs table', async () => {
    await window.palette('View: Close All Editors');
    await window.palette('AuroRA: Show Runs Table');
    const table = await window.frameWith('aurora-runs .row');
    await expect.poll(() => table.locator('.row').count()).toBe(2);
    for (const box of await table.locator('.row input').all()) await box.check();
    await window.contextMenu(table.locator('.row[aria-selected=true] .cell').nth(1), 'Export Run');
    await choose('adapter');
    await window.toast('2 runs exported.').waitFor({ timeout: 300_000 });
    for (const id of readdirSync(runs))
      expect(readdirSync(join(runs, id, 'export')).some((f) => f.startsWith('adapter-step-'))).toBe(true);
  });

  test('an adapter that does not fit is reported with the reason', async () => {
    lab.write('other/adapter_config.json', '{"peft_type":"IA3","r":8}');
    await window.palette('AuroRA: Import Adapter');
    await window.folder(lab.path('other'), 'Import');
    await window.toast(/has no adapter_model\.safetensors/).waitFor();
    expect(hostErrors(server.profile)).toEqual([]);
  });
});
