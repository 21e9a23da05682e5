import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { closeBrowser } from './driver/browser';
import { Dashboard } from './driver/dashboard';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { comparable, journalAt, statusOf } from './journal';
import { vsixHere } from './vsix';
import { readRun } from '../read-run';
import { tinyWorkspace } from './workspace';

/** A user's day from the palette: run, watch, reload, stop, and a run to the end. */
describe('training from the palette, in VS Code 1.100', () => {
  const lab = tinyWorkspace({ training: { epochs: 1_000_000, evaluateEvery: 50, checkpointEvery: 500 } });
  lab.write(
    'short.aurora.json',
    readFileSync(lab.experiment, 'utf8').replace('"epochs": 1000000', '"epochs": 4'),
  );
  lab.write(
    'wild.aurora.json',
    // At once: with so many epochs, a warm-up would take thousands of steps.
    readFileSync(lab.experiment, 'utf8').replace(
      '"learningRate": 0.01',
      '"learningRate": 50, "warmupRatio": 0',
    ),
  );
  lab.write(
    'swept.aurora.json',
    readFileSync(lab.experiment, 'utf8').replace(
      '{',
      '{ "sweep": { "type": "grid", "parameters": { "training.seed": [1, 2] } },',
    ),
  );
  const runsOf = (name: string) => join(lab.folder, '.aurora/runs', name);
  let server: WorkbenchServer;
  let window: Window;
  let run: string;
  let fork: string;

  beforeAll(async () => {
    server = await startWorkbench({ version: '1.100', name: 'train', vsix: vsixHere() });
    window = await Window.open(server, lab.folder);
    await window.sideBar();
    await window.row('tiny').waitFor();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    for (const folder of [run, fork])
      if (folder && !existsSync(join(folder, 'result.json'))) kill(statusOf(folder).pid);
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  test('Run Experiment starts a run and opens its dashboard', async () => {
    await window.openFile('tiny.aurora.json');
    await window.palette('AuroRA: Run Experiment');
    const dashboard = await Dashboard.in(window);
    [run] = readdirSync(runsOf('tiny')).map((id) => join(runsOf('tiny'), id));
    const shown = await dashboard.newest();
    expect(comparable(shown)).toEqual(journalAt(run, shown));
  });

  test('a single status bar item shows what is running', async () => {
    await window.page.locator('.statusbar-item[id*="aurora"]').first().waitFor();
    expect(await window.page.locator('.statusbar-item[id*="aurora"]').count()).toBe(1);
  });

  test('a second run or sweep is queued and shown in the tree', async () => {
    await window.openFile('short.aurora.json');
    await window.palette('AuroRA: Run Experiment');
    await window.modal('A run is already in progress.', 'Queue');
    await window.row('queued · next').locator('.codicon-clock').waitFor();
    // It keeps the settings that it was queued with.
    lab.write('short.aurora.json', lab.read('short.aurora.json').replace('"epochs": 4', '"epochs": 5'));
    expect(existsSync(runsOf('short'))).toBe(false);
    await window.contextMenu(window.row('swept'), 'Run Sweep');
    await window.modal('A run is already in progress.', 'Queue');
    await window.contextMenu(window.row('queued · number 2'), 'Remove from Queue');
    await window.row('queued · number 2').waitFor({ state: 'detached' });
    // The dashboard is what the next test finds restored.
    await window.row(/step \d+\/\d+/).click();
  });

  test('after a reload, the run continues and its dashboard is restored (T2)', async () => {
    const { pid, step } = statusOf(run);
    await window.reload();
    const dashboard = await Dashboard.in(window);
    expect(statusOf(run)).toMatchObject({ pid, state: 'running' });
    const shown = await dashboard.newest();
    expect(shown.step).toBeGreaterThan(step);
    expect(comparable(shown)).toEqual(journalAt(run, shown));
  });

  test('after a reload, the queue waits for the user', async () => {
    await window.row('queued in an earlier window').waitFor();
    await window.pressToast('A run was queued when this window was last open', 'Continue Queue');
    await window.row('queued · next').waitFor();
    expect(existsSync(runsOf('short'))).toBe(false);
  });

  test('Stop Run reports what was saved and leaves no process (T4)', async () => {
    const { pid } = statusOf(run);
    await window.palette('AuroRA: Stop Run');
    await expect.poll(() => statusOf(run).state, { timeout: 900_000 }).toBe('stopped');
    await window.toast(/saved at step [\d,.]+/).waitFor();
    await expect.poll(() => isAlive(pid), { timeout: 900_000 }).toBe(false);
  });

  test('the queued run starts when the other has ended, and its end is reported', async () => {
    await expect.poll(() => existsSync(runsOf('short')), { timeout: 900_000 }).toBe(true);
    const short = () => join(runsOf('short'), readdirSync(runsOf('short'))[0]);
    await expect.poll(() => existsSync(join(short(), 'result.json')), { timeout: 900_000 }).toBe(true);
    // result.json is written before the final status.
    await expect.poll(() => statusOf(short()).state).toBe('finished');
    expect(readRun(short()).spec.training.epochs).toBe(4);
    const notice = await window.said(/ has finished: best /);
    await notice.getByRole('button', { name: 'Open Dashboard' }).waitFor();
  });

  test('a learning rate of 50 is shown everywhere, and a fork with a lower one replaces the run', async () => {
    const wild = () => readdirSync(runsOf('wild')).map((id) => join(runsOf('wild'), id));
    await window.openFile('wild.aurora.json');
    await window.palette('AuroRA: Run Experiment');
    const text = /The training loss is .+ far above/;
    await window.toast(text).waitFor();
    const [run] = wild();
    expect(statusOf(run).state).toBe('running');
    await window.statusBar(/loss far above its initial value/).waitFor();
    await window.expand(window.row('wild'));
    await window
      .row(/loss far above its initial value/)
      .locator('.codicon-warning')
      .waitFor();
    const dashboard = await Dashboard.of(window, [run]);
    await dashboard.frame.locator('[data-fact="alarms"]', { hasText: text }).waitFor();
    await window.pressToast(text, 'Fork with Lower Rate from Step 0');
    await expect.poll(() => wild().length, { timeout: 900_000 }).toBe(2);
    fork = wild().find((folder) => folder !== run)!;
    await Dashboard.of(window, [run, fork]);
    expect(statusOf(run).state).toBe('stopped');
    const spec = JSON.parse(readFileSync(join(fork, 'spec.json'), 'utf8')) as { training: unknown };
    expect(spec.training).toMatchObject({ learningRate: 10 });
  });

  test('a queued resume asks nothing by itself: with changed data, it goes back, and Run Now asks', async () => {
    await window.contextMenu(window.row(/saved at step|stopped/), 'Resume Run');
    await window.modal('A run is already in progress.', 'Queue');
    await window.row('Resume').and(window.row('queued · next')).waitFor();
    lab.write('train.jsonl', lab.read('train.jsonl').replace('"label":"pets"', '"label":"other"'));
    kill(statusOf(fork).pid);
    const failed = /The queued run of tiny could not be started: .*train\.jsonl/;
    await window.said(failed);
    await window.row('could not be started').waitFor();
    await window.screenshot('queue-failed');
    expect(statusOf(run).state).toBe('stopped');
    await window.pressToast(failed, 'Run Now');
    await window.modal('have changed', 'Continue with Changed Files');
    await expect.poll(() => statusOf(run).state, { timeout: 900_000 }).toBe('running');
    await window.row('could not be started').waitFor({ state: 'detached' });
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie process that init has not reaped, as in a container, counts as dead.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  if (isAlive(pid)) process.kill(pid, 'SIGKILL');
}
