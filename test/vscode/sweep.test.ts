import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { loadSweep } from '../../src/runs/experiment/load';
import { suspend } from '../cli/lab';
import { readRun } from '../read-run';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { programs } from './driver/processes';
import { Window } from './driver/window';
import { Wizard } from './driver/wizard';
import { statusOf } from './journal';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/** A sweep from the tree: run, watched, stopped, continued across a reload, and finished. */
describe('a sweep, in VS Code 1.100', () => {
  const lab = tinyWorkspace({
    training: { epochs: 60, evaluateEvery: 120, checkpointEvery: 240 },
    sweep: { type: 'grid', parallel: 1, parameters: { 'training.seed': [1, 2, 3] } },
  });
  const runs = join(lab.folder, '.aurora/runs/tiny');
  let server: WorkbenchServer;
  let window: Window;

  beforeAll(async () => {
    server = await startWorkbench({ version: '1.100', name: 'sweep', vsix: vsixHere() });
    window = await Window.open(server, lab.folder);
    await window.sideBar();
    await window.row('tiny').waitFor();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    for (const command of ['sweep', 'train'])
      for (const pid of server ? programs(server.profile, command) : []) process.kill(pid, 'SIGKILL');
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  const spoken = (): Promise<string[]> =>
    window
      .pane('Experiments')
      .locator('.monaco-list-row')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label') ?? ''));
  const untilSpoken = (...what: RegExp[]) =>
    expect
      .poll(spoken, { timeout: 300_000 })
      .toEqual(expect.arrayContaining(what.map((w) => expect.stringMatching(w) as unknown)));
  /** The process of a trial that has reported a step. */
  const runningTrial = (): number | undefined => {
    const ids = existsSync(runs) ? readdirSync(runs) : [];
    const begun = ids.map((id) => join(runs, id)).filter((run) => existsSync(join(run, 'status.json')));
    return begun.map(statusOf).find(({ state, step }) => state === 'running' && step > 0)?.pid;
  };
  const group = () => window.row('Sweep ·');

  test('the CodeLens above the section shows the number of trials', async () => {
    await window.openFile('tiny.aurora.json');
    await window.page.locator('.codelens-decoration', { hasText: 'Run Sweep: 3 trials' }).waitFor();
  });

  test('Run Sweep shows a group with its trials, each named by the settings that vary, and its page', async () => {
    await window.contextMenu(window.row('tiny'), 'Run Sweep');
    // The first trial would end before a slow window has shown it.
    await expect.poll(runningTrial, { interval: 20 }).toBeDefined();
    await suspend(runningTrial()!);
    await untilSpoken(/^Sweep · \w{4}, running, 0 of 3/);
    await window.expand(group());
    // It may have been evaluated by then.
    await untilSpoken(/^Run (#\d+ )?seed \d, (?=.*running).*step \d+\/720/);
    const page = await window.frameWith('aurora-sweep .trial-row');
    expect(await page.locator('h1').innerText()).toMatch(/^Sweep of tiny \w{4}$/);
    await expect
      .poll(() => page.locator('.trial-row').allInnerTexts())
      .toEqual([
        expect.stringMatching(/^(★ )?#\d+\s+1\s+running/),
        expect.stringMatching(/^Trial 2\s+2\s+queued/),
        expect.stringMatching(/^Trial 3\s+3\s+queued/),
      ]);
    await window.screenshot('sweep-running');
  });

  test('Stop Sweep saves the current trial and leaves no process', async () => {
    await window.contextMenu(group(), 'Stop Sweep');
    process.kill(runningTrial()!, 'SIGCONT');
    await window.said(/The sweep of tiny was stopped; [012] of 3 trials are done, and everything is saved/);
    await untilSpoken(/^Sweep · \w{4}, stopped, [012] of 3/);
    const left = () => ['sweep', 'train'].flatMap((command) => programs(server.profile, command));
    await expect.poll(left).toEqual([]);
  });

  test('Resume Sweep continues it, also across a reload, and trains each trial once', async () => {
    await window.contextMenu(group(), 'Resume Sweep');
    await untilSpoken(/^Sweep · \w{4}, (running, [012] of 3|finished, 3 trials)/);
    await window.reload();
    await window.sideBar();
    await untilSpoken(/^Sweep · \w{4}, (running, [012] of 3|finished, 3 trials), best /);
    await untilSpoken(/^Sweep · \w{4}, finished, 3 trials, best [\d.]+% accuracy/);
    await window.expand(group());
    await untilSpoken(...[1, 2, 3].map((seed) => new RegExp(`^Run (#\\d+ )?seed ${seed}, finished, `)));
    await window.screenshot('sweep-finished');
    const ids = readdirSync(runs);
    expect(ids).toHaveLength(3);
    for (const id of ids) {
      const { scalars, result } = readRun(join(runs, id));
      expect([scalars.records, existsSync(join(runs, id, 'trial.json')), result?.outcome]).toEqual([
        720,
        true,
        'finished',
      ]);
    }
  });

  test('its page is restored by the reload, has the results, and opens a trial', async () => {
    const page = await window.frameWith('aurora-sweep .trial-row');
    await expect.poll(() => page.locator('.counts').innerText()).toMatch(/^3 of 3 trials done/);
    await window.screenshot('sweep-page');
    await page.locator('.trial-row').first().click({ button: 'right' });
    await window.page.locator('.monaco-menu .action-label', { hasText: 'Fork' }).waitFor();
    await window.page.keyboard.press('Escape');
    await page.locator('.trial-row').first().dblclick();
    await window.frameWith('aurora-run canvas');
  });

  test('Delete Sweep moves it and its trials to the trash, and Undo brings them back', async () => {
    const [sweep] = readdirSync(join(lab.folder, '.aurora/sweeps/tiny'));
    await window.contextMenu(group(), 'Delete Sweep');
    await window.modal('Delete the sweep of tiny with its 3 trials?', 'Delete');
    await window.said('Deleted the sweep of tiny. Trials: 3.');
    await group().waitFor({ state: 'detached' });
    expect([readdirSync(runs), readdirSync(join(lab.folder, '.aurora/sweeps/tiny'))]).toEqual([[], []]);
    await window.pressToast('Deleted the sweep of tiny', 'Undo');
    await untilSpoken(/^Sweep · \w{4}, finished, 3 trials, best /);
    expect(readdirSync(runs)).toHaveLength(3);
    expect(readdirSync(join(lab.folder, '.aurora/sweeps/tiny'))).toEqual([sweep]);
  });

  test('the end of a sweep is reported once if its page is not visible', async () => {
    lab.write('long.aurora.json', lab.read('tiny.aurora.json').replace('"epochs": 60', '"epochs": 1000000'));
    await window.contextMenu(window.row('long'), 'Run Sweep');
    await window.frameWith('h1:has-text("Sweep of long")');
    await window.openFile('long.aurora.json');
    for (const pid of programs(server.profile, 'sweep')) process.kill(pid, 'SIGINT');
    const notice = await window.said(/The sweep of long was stopped; 0 of 3 trials are done/);
    await notice.getByRole('button', { name: 'Open Sweep' }).click();
    await window.frameWith('h1:has-text("Sweep of long")');
    await window.palette('Notifications: Show Notifications');
    await window.page.locator('.notifications-center').waitFor();
    expect(await window.page.locator('.notifications-center', { hasText: 'The sweep of long' }).count()).toBe(
      0,
    );
  });

  test('Compare Methods at Equal Budget creates an experiment with a sweep over the methods', async () => {
    const wizard = new Wizard(window);
    await window.contextMenu(window.row('tiny'), 'Compare Methods at Equal Budget');
    await wizard.asks('Select the methods to compare AuroRA with');
    await window.screenshot('compare-methods');
    // AuroRA, LoRA at four budgets, and the head alone.
    expect(await wizard.title()).toMatch(/\(1 of 2\): 6 adapters/);
    await wizard.accept('Select the methods to compare AuroRA with');
    await wizard.asks('Select the number of seeds');
    expect((await wizard.rows()).join('\n')).toMatch(/3 seeds.*30 trials/);
    await wizard.accept('Select the number of seeds');
    await window.said(/tiny-compare.aurora.json compares 6 adapters in 30 trials/);
    await window.page.locator('.codelens-decoration', { hasText: 'Run Sweep: 30 trials' }).waitFor();
    await window.screenshot('sweep-compare');
    // With two of three seeds, only those of the best rate are trained.
    expect(loadSweep(join(lab.folder, 'tiny-compare.aurora.json'), []).trials).toHaveLength(54);
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
