import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { onWebgpu } from '../webgpu';
import { closeBrowser } from './driver/browser';
import type { Dashboard } from './driver/dashboard';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { programs } from './driver/processes';
import { Window } from './driver/window';
import { statusOf } from './journal';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/** One second per device, plus compilation for each with a software renderer, beside other work. */
const CHECK_MS = 1_500_000;
const TRAIN_MS = 400_000;

/** A run's device: measured, chosen, rejected, replaced, and compared with the other engine. */
describe('devices, in VS Code 1.100', { timeout: 1_800_000 }, () => {
  const lab = tinyWorkspace({ training: { epochs: 1 } });
  const runs = join(lab.folder, '.aurora/runs/tiny');
  let server: WorkbenchServer;
  let window: Window;

  beforeAll(async () => {
    const env = { AURORA_DOCTOR_SECONDS: '1' };
    server = await startWorkbench({ version: '1.100', name: 'devices', vsix: vsixHere(), env });
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

  /** Writes machine settings, as in the user's remote settings.json. The editor reloads it automatically. */
  function set(settings: Record<string, unknown>): void {
    const folder = join(server.profile, 'data/Machine');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
  }

  /** Runs the experiment and waits until it ends. */
  async function train(): Promise<{ run: string; dashboard: Dashboard['frame'] }> {
    const before = new Set(existsSync(runs) ? readdirSync(runs) : []);
    await window.palette('View: Close All Editors');
    await window.openFile('tiny.aurora.json');
    await window.palette('AuroRA: Run Experiment');
    const begun = () => (existsSync(runs) ? readdirSync(runs) : []).find((id) => !before.has(id));
    await expect.poll(begun, { timeout: 900_000 }).toBeDefined();
    const run = join(runs, begun()!);
    const ended = () => existsSync(join(run, 'status.json')) && /finished|failed/.test(statusOf(run).state);
    await expect.poll(ended, { timeout: TRAIN_MS }).toBe(true);
    return { run, dashboard: await window.frameWith('aurora-run') };
  }

  /**
   * The accessible names of the Machine view's rows. They are all visible while the other views are
   * collapsed.
   */
  const machine = () =>
    window
      .pane('Machine')
      .locator('.monaco-list-row')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label') ?? ''));
  const fold = (view: string) => window.pane(view).locator('.pane-header').click();

  /**
   * Text of the table that contains `words`, in the report with this heading. The preview may redraw its page
   * while it opens.
   */
  async function table(heading: 'h1' | 'h2', title: string, words: string): Promise<string> {
    let text = '';
    await expect
      .poll(async () => {
        const report = await window.frameWith(`${heading}:has-text("${title}")`);
        text = await report
          .locator('table', { hasText: words })
          .innerText({ timeout: 2000 })
          .catch(() => '');
        return text;
      })
      .toContain(words);
    return text;
  }

  /** A row's tooltip. If the row is redrawn under the mouse, it shows none. */
  async function tooltip(row: RegExp): Promise<string> {
    await window.page.mouse.move(900, 600);
    await window.row(row).hover();
    const shown = window.page.locator('.monaco-hover:visible, .workbench-hover:visible').first();
    const text = await shown.innerText({ timeout: 3000 }).catch(() => '');
    await window.page.mouse.move(900, 600);
    return text.replaceAll('\u00a0', ' ');
  }

  test('the Machine view offers the first check, and canceling it leaves no process', async () => {
    await fold('Experiments');
    await fold('Machine');
    const offer = window.pane('Machine').locator('.monaco-list-row', { hasText: 'not measured yet' });
    await offer.click();
    await window.toast(/Checking this machine: Measuring ONNX Runtime on \w+/).waitFor();
    expect(programs(server.profile, 'doctor').length).toBeGreaterThan(0);
    await window.pressToast('Checking this machine', 'Cancel');
    await expect.poll(() => programs(server.profile, 'doctor')).toEqual([]);
    await offer.waitFor();
  });

  test('Check This Machine measures each device, and the Machine view keeps the rates', async () => {
    await window.palette('AuroRA: Check This Machine');
    await window.toast(/Checking this machine: Measuring/).waitFor();
    await window.toast('Checking this machine').waitFor({ state: 'hidden', timeout: CHECK_MS });
    const said = await window.said(/Fastest device: (ONNX Runtime|TensorFlow\.js) on \w+, [\d.]+ steps\/s/);
    const of = (place: string) => expect.stringMatching(new RegExp(`^${place}: [\\d.]+ steps/s`));
    await expect.poll(machine).toContainEqual(of('ONNX Runtime on cpu'));
    const rows = await machine();
    const measured = ['TensorFlow\\.js on wasm'];
    if (onWebgpu) measured.push('ONNX Runtime on webgpu', 'TensorFlow\\.js on webgpu');
    for (const place of measured) expect(rows).toContainEqual(of(place));
    expect(rows).toContain('ONNX Runtime on cuda: not available');
    expect(rows.join()).not.toContain('not measured yet');
    await fold('Machine');
    await fold('Experiments');
    await said.getByRole('button', { name: 'Show Report' }).click();
    expect(await table('h2', 'Training speed', 'steps/s')).toContain('ONNX Runtime on cpu');
  });

  test.runIf(onWebgpu)('a run on webgpu finishes, and dashboard and tooltip name the device', async () => {
    set({ 'aurora.device': 'webgpu' });
    const { run, dashboard } = await train();
    expect(statusOf(run).state).toBe('finished');
    await dashboard
      .locator('[data-fact="device"]', { hasText: 'ONNX Runtime on webgpu, as requested' })
      .waitFor();
    await window.expand(window.row('tiny'));
    await expect
      .poll(() => tooltip(/AuroRA r2/), { timeout: 900_000 })
      .toContain('ONNX Runtime on webgpu, as requested');
  });

  test('an unusable device ends the run with one hint in the dashboard, which is in sight', async () => {
    set({ 'aurora.device': 'cuda' });
    const { run, dashboard } = await train();
    expect(statusOf(run).state).toBe('failed');
    const why = /CUDA provider is not installed\.\s+Run `AuroRA: Install GPU Support`/;
    await dashboard.locator('.message.error', { hasText: why }).waitFor();
  });

  test('with the fallback allowed, the run continues on the CPU and reports it', async () => {
    set({ 'aurora.device': 'cuda', 'aurora.fallBackToCpu': true });
    const { run, dashboard } = await train();
    expect(statusOf(run).state).toBe('finished');
    await dashboard
      .locator('[data-fact="device"]', {
        hasText: 'ONNX Runtime on cpu, because the chosen device cannot be used',
      })
      .waitFor();
    await dashboard
      .locator('.message.warning', { hasText: 'The run continues with ONNX Runtime on cpu' })
      .waitFor();
  });

  test('Verify Experiment on Both Engines compares the first batch and reports agreement', async () => {
    set({ 'aurora.device': 'auto', 'aurora.fallBackToCpu': false });
    await window.palette('View: Close All Editors');
    await window.openFile('tiny.aurora.json');
    await window.palette('AuroRA: Verify Experiment on Both Engines');
    const agreement = /tiny: The engines agree; the largest difference is \d\.\de-\d+/;
    await window.pressToast(agreement, 'Show Report');
    const rows = (await table('h1', 'Engine comparison: tiny', 'tolerance')).split('\n');
    expect(rows.filter((row) => /gradients/.test(row) && /agree/.test(row))).toHaveLength(2);
    expect(rows.filter((row) => /differ$/.test(row))).toEqual([]);
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
