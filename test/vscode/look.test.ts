import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { CLI } from '../cli/lab';
import { closeBrowser } from './driver/browser';
import { Dashboard } from './driver/dashboard';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { comparable, journalAt, lastStep } from './journal';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/** Runs started elsewhere: they appear automatically, with their actual content. */
describe('runs of the command line, in VS Code 1.100', () => {
  const lab = tinyWorkspace({ training: { epochs: 1_000_000, evaluateEvery: 50, checkpointEvery: 500 } });
  const runs = join(lab.folder, '.aurora/runs/tiny');
  let server: WorkbenchServer;
  let window: Window;
  let trainer: ChildProcess;

  beforeAll(async () => {
    server = await startWorkbench({ version: '1.100', name: 'look', vsix: vsixHere() });
    window = await Window.open(server, lab.folder);
    await window.sideBar();
    await window.row('tiny').waitFor();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    trainer?.kill('SIGKILL');
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  const run = () => join(runs, readdirSync(runs).sort()[0]);

  test('the views exist', async () => {
    await window.pane('Experiments').waitFor();
    await window.pane('Machine').waitFor();
  });

  test('a model of the workspace expands to its layers', async () => {
    const models = window.pane('Models');
    await models.locator('.pane-header').click();
    await window.expand(models.locator('.monaco-list-row', { hasText: 'model.onnx' }));
    await models.locator('.monaco-list-row', { hasText: 'query' }).waitFor();
    await models.locator('.pane-header').click();
  });

  test('a run started in a terminal appears automatically (T9)', async () => {
    trainer = spawn(process.execPath, [CLI, 'train', lab.experiment], { stdio: 'ignore' });
    await window.expand(window.row('tiny'));
    await expect
      .poll(() => spokenRows().then((rows) => rows.filter((r) => /^Run .*, running/.test(r)).length), {
        timeout: 900_000,
      })
      .toBe(1);
  });

  test('the page matches the journal at three moments during the run', async () => {
    await window.palette('AuroRA: Open Run Dashboard');
    const dashboard = await Dashboard.in(window);
    const steps: number[] = [];
    for (let moment = 0; moment < 3; moment++) {
      const shown = await dashboard.newest();
      expect(Object.keys(comparable(shown).values)).toEqual(
        expect.arrayContaining(['loss', 'learningRate', 'gradientNorm']),
      );
      expect(comparable(shown)).toEqual(journalAt(run(), shown));
      steps.push(shown.step);
      await window.page.waitForTimeout(1500);
    }
    expect(existsSync(join(run(), 'result.json')), 'it has not ended').toBe(false);
    expect(steps[2]).toBeGreaterThan(steps[1]);
    expect(steps[1]).toBeGreaterThan(steps[0]);
  });

  test('a panel hidden for 500 steps has no gap and matches the file (T1)', async () => {
    const before = lastStep(run());
    await window.openFile('tiny.aurora.json');
    // The CodeLenses of the experiment still appear while the run changes constantly.
    await window.page.locator('.codelens-decoration', { hasText: 'trainable' }).waitFor();
    const limit = Date.now() + 90_000;
    while (lastStep(run()) < before + 500 && Date.now() < limit) await window.page.waitForTimeout(200);
    expect(lastStep(run())).toBeGreaterThanOrEqual(before + 500);
    await window.page.keyboard.press('Control+PageUp');
    const dashboard = await Dashboard.in(window);
    const shown = await dashboard.newest();
    expect(shown.step).toBeGreaterThanOrEqual(before + 500);
    expect(comparable(shown)).toEqual(journalAt(run(), shown));
    expect(await dashboard.records()).toBeGreaterThanOrEqual(shown.step);
  });

  test('after the process is killed and the window reloaded, nothing is shown as running (T2)', async () => {
    await window.reload();
    await window.sideBar();
    trainer.kill('SIGKILL');
    await expect
      .poll(async () => (await spokenRows()).some((row) => /^Run .*, lost/.test(row)), { timeout: 900_000 })
      .toBe(true);
    expect((await spokenRows()).filter((row) => /, running/.test(row))).toEqual([]);
  });

  test('a corrupt run folder hides no other and shows its error (T6)', async () => {
    const broken = join(runs, '20200101T000000Z-dead');
    mkdirSync(broken, { recursive: true });
    writeFileSync(join(broken, 'spec.json'), '{"half');
    writeFileSync(join(broken, 'status.json'), 'not JSON');
    await window.palette('AuroRA: Refresh');
    await expect
      .poll(async () => (await spokenRows()).filter((row) => /^Run /.test(row)).length, { timeout: 900_000 })
      .toBe(2);
    expect((await spokenRows()).some((row) => /^Run .*, damaged/.test(row))).toBe(true);
  });

  test('the palette hides commands that need a selection and offers the others', async () => {
    const offered = (await window.offered('AuroRA: New')).join('\n');
    expect(offered).toContain('AuroRA: New Experiment');
    expect(offered).not.toContain('New Experiment from Model');
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));

  const spokenRows = () =>
    window.page
      .locator('.sidebar .monaco-list-row')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label') ?? ''));
});
