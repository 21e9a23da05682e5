import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { closeBrowser } from './driver/browser';
import { Dashboard } from './driver/dashboard';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { ProcessWatch, programs } from './driver/processes';
import { Window } from './driver/window';
import { comparable, journalAt } from './journal';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/** In Restricted Mode, the user can view and calculate, and nothing from the workspace runs. */
describe('an untrusted workspace, in VS Code 1.100', () => {
  const lab = tinyWorkspace();
  const runs = join(lab.folder, '.aurora/runs/tiny');
  let server: WorkbenchServer;
  let window: Window;
  let watch: ProcessWatch;

  beforeAll(async () => {
    expect(lab.run('train', lab.experiment).code).toBe(0);
    const options = { name: 'trust', vsix: vsixHere(), trust: true, env: { AURORA_DOCTOR_SECONDS: '1' } };
    server = await startWorkbench({ version: '1.100', ...options });
    watch = new ProcessWatch(server.profile);
    window = await Window.open(server, lab.folder);
    await window.sideBar();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    watch?.stop();
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  test('is shown in Restricted Mode', () => window.statusBar('Restricted Mode').waitFor());

  test('lists experiments and runs', async () => {
    await window.row('tiny').waitFor();
    await window.expand(window.row('tiny'));
    await expect.poll(async () => (await window.rows()).some((row) => /AuroRA r2/.test(row))).toBe(true);
  });

  test('shows the budget CodeLens of an experiment, counted from the model', async () => {
    await window.openFile('tiny.aurora.json');
    const lens = window.page.locator('.codelens-decoration');
    await lens
      .getByText(/592 trainable/)
      .first()
      .waitFor();
  });

  test('offers completion', async () => {
    const { page } = window;
    await page.locator('.view-line', { hasText: '"learningRate"' }).first().click();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.keyboard.type('"');
    await page.keyboard.press('Control+Space');
    await page.locator('.suggest-widget .monaco-list-row', { hasText: 'weightDecay' }).first().waitFor();
    await page.keyboard.press('Escape');
    await window.palette('File: Revert File');
  });

  test('lets the budget calculator count', async () => {
    await window.palette('AuroRA: Open Budget Calculator');
    const page = await window.frameWith('aurora-budget');
    await expect.poll(() => page.locator('aurora-budget').innerText()).toMatch(/\b592\b/);
    // A slow machine may miss a program that reads the model in a tenth of a second; with a new date it is read again.
    for (let tries = 1; tries < 20 && !watch.commands.includes('inspect'); tries++) {
      utimesSync(lab.path('model.onnx'), tries, tries);
      await window.palette('View: Close All Editors');
      await window.palette('AuroRA: Open Budget Calculator');
      const again = await window.frameWith('aurora-budget');
      await expect.poll(() => again.locator('aurora-budget').innerText()).toMatch(/\b592\b/);
    }
  });

  test('shows the dashboard of an existing run with the contents of its journal', async () => {
    await window.palette('AuroRA: Open Run Dashboard');
    const dashboard = await Dashboard.in(window);
    const [run] = readdirSync(runs).map((id) => join(runs, id));
    const shown = await dashboard.newest();
    expect(comparable(shown)).toEqual(journalAt(run, shown));
  });

  test('asks for trust for the playground, because it runs the model', async () => {
    await window.palette('AuroRA: Open Playground');
    const toast = await window.said('The playground runs the model');
    await toast.getByText('Manage Workspace Trust').waitFor();
    await window.palette('Notifications: Clear All Notifications');
  });

  test('shows the layer activations of that run', async () => {
    await window.palette('AuroRA: Show Layer Activations');
    await window.frameWith('aurora-activations');
  });

  test.each(['Run Experiment', 'Run Preflight', 'Verify Experiment on Both Engines', 'Show Errors'])(
    'rejects %s and offers to manage trust',
    async (command) => {
      await window.openFile('tiny.aurora.json');
      await window.palette(`AuroRA: ${command}`);
      await window.pressToast(/Restricted Mode|trusted workspace/, 'Manage Workspace Trust');
      await window.tab('Workspace Trust').waitFor();
      await window.palette('View: Close Editor');
      await window.palette('Notifications: Clear All Notifications');
    },
  );

  test('shows errors that were computed elsewhere', async () => {
    const [run] = readdirSync(runs).map((id) => join(runs, id));
    expect(lab.run('errors', run).code).toBe(0);
    await window.palette('AuroRA: Show Errors');
    const page = await window.frameWith('aurora-errors .matrix');
    await expect.poll(() => page.locator('.summary').innerText()).toContain('24 examples right');
  });

  test('does not allow forking or resuming a run and does not offer the demo', async () => {
    expect((await window.offered('AuroRA: Open')).join('\n')).toContain('AuroRA: Open Budget Calculator');
    const offered = (await window.offered('AuroRA: Run')).join('\n');
    expect(offered).toContain('AuroRA: Run Experiment');
    expect(offered).not.toContain('AuroRA: Run the Demo');
    await window.palette('AuroRA: Fork Run');
    await window
      .toast(/Restricted Mode/)
      .getByRole('button', { name: 'Manage Workspace Trust' })
      .waitFor();
  });

  test('trains nothing, runs only the model parser and loads none of our native libraries', () => {
    expect(readdirSync(runs)).toHaveLength(1);
    // Trainers run from here. Shapes of models may be cached here too.
    const storage = join(server.profile, 'data/User/globalStorage');
    const copies = readdirSync(storage, { recursive: true, encoding: 'utf8' }).join('\n');
    expect(copies).not.toMatch(/cli\.cjs|onnx/);
    // Shows that the watch detects our programs, because one of them read the model.
    expect(watch.commands).toContain('inspect');
    expect(watch.commands.filter((c) => c !== 'inspect' && c !== '--version')).toEqual([]);
    expect(watch.looks).toBeGreaterThan(100);
    expect(watch.native).toEqual([]);
  });

  test('allows checking the machine, because that reads nothing from the workspace', async () => {
    await window.palette('AuroRA: Check This Machine');
    await window.toast(/Checking this machine: Measuring ONNX Runtime on cpu/).waitFor();
    // devices.test.ts waits for what it measures.
    await expect.poll(() => watch.commands).toContain('doctor');
    await window.pressToast('Checking this machine', 'Cancel');
    await expect.poll(() => programs(server.profile, 'doctor')).toEqual([]);
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
