import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import type { SweepSpec } from '../../src/experiment/sweep';
import { ownerFile } from '../../src/files/fence';
import type { ClusterFile } from '../../src/protocol/run-files/cluster';
import { runPaths } from '../../src/runs/layout';
import { clusterPath } from '../../src/runs/sweep/cluster-file';
import { readRun } from '../read-run';
import { SCALAR_COLUMNS } from '../../src/protocol/events';
import { makeSweep } from '../unit/extension/sweep-folder';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { statusOf } from './journal';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/** The questions and messages before a stopped run is continued. */
describe('resuming a run, in VS Code 1.100', () => {
  const lab = tinyWorkspace({ training: { epochs: 2 } });
  const runs = join(lab.folder, '.aurora/runs/tiny');
  const data = readFileSync(lab.path('train.jsonl'), 'utf8');
  let server: WorkbenchServer;
  let window: Window;
  let run: string;
  let name: string;

  beforeAll(async () => {
    expect(lab.run('train', lab.experiment, '--pause-at', 'step:10').code).toBe(130);
    const [id] = readdirSync(runs);
    run = join(runs, id);
    // As if its window had been closed: a trainer waits a minute before it believes that.
    const { events } = runPaths(run);
    const journal = readFileSync(events, 'utf8');
    writeFileSync(events, journal.replace(/("kind":"stopped".*"reason":)"\w+"/, '$1"window-closed"'));
    expect(readRun(run).events.at(-1)).toMatchObject({ kind: 'stopped', reason: 'window-closed' });
    name = '#1 AuroRA r2';
    clusterSweep();
    server = await startWorkbench({ version: '1.100', name: 'resume', vsix: vsixHere() });
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

  /** Two trials that were taken out of Slurm's queue, and nothing follows the sweep; its experiment is incomplete. */
  function clusterSweep(): void {
    lab.write('swept.aurora.json', '{}');
    const trials = [2, 4].map((rank) => ({ settings: { 'adapter.rank': rank } }));
    const spec: SweepSpec = { type: 'grid', seed: 0, parameters: { 'adapter.rank': [2, 4] } };
    const sweep = makeSweep(lab.path('swept.aurora.json'), {
      ...{ spec, trials, varied: ['adapter.rank'] },
      on: 'slurm',
    });
    const said = (job: string) => ({ state: 'cancelled', job }) as const;
    const cluster: ClusterFile = {
      ...{ version: 1, executor: 'slurm', place: '', at: Date.now() },
      trials: { t1: said('1_0'), t2: said('1_1') },
    };
    writeFileSync(clusterPath(sweep), JSON.stringify(cluster));
  }

  const dialog = () => window.page.locator('.monaco-dialog-box');
  const events = (kind: string) => readRun(run).events.filter((e) => e.kind === kind);

  test('the dashboard shows an error if the curve of a run has lost records', async () => {
    const { scalars } = runPaths(run);
    const whole = readFileSync(scalars);
    truncateSync(scalars, 4 * SCALAR_COLUMNS.length * 8);
    await window.palette('AuroRA: Refresh');
    await window.row(name).click();
    const page = await window.frameWith('aurora-run .message.error');
    await expect
      .poll(() => page.locator('.message.error').allInnerTexts())
      .toEqual([expect.stringContaining('has no records of steps 5 to 10')]);
    await window.settled();
    await window.screenshot('resume-damaged');
    writeFileSync(scalars, whole);
    await window.palette('AuroRA: Refresh');
    await expect.poll(() => page.locator('.message.error').count()).toBe(0);
  });

  test('a run that ended with its window is shown without expanding anything, also after a reload', async () => {
    const row = window.row('tiny');
    await row.locator('.monaco-tl-twistie').click();
    await window.row(name).waitFor({ state: 'detached' });
    await window.palette('View: Close All Editors');
    await window.reload();
    await window.sideBar();
    await window.row('Stopped at step 10').waitFor();
    expect((await window.rows())[0]).toMatch(/^Stopped at step 10\s*window closed · Resume$/);
    // A collapsed row stays collapsed.
    expect(await window.row('1 run').getAttribute('aria-expanded')).toBe('false');
    await window.screenshot('resume-window-closed');
  });

  test('a run with changed data is resumed only if the user agrees', async () => {
    lab.write('train.jsonl', data.replace('"label":"pets"', '"label":"other"'));
    const before = readFileSync(runPaths(run).events);
    await window.row('Stopped at step 10').click();
    await dialog()
      .getByText(/train\.jsonl have changed/)
      .waitFor();
    await window.screenshot('resume-changed');
    await window.modal('have changed', 'Cancel');
    expect(readFileSync(runPaths(run).events)).toEqual(before);
    expect(statusOf(run).state).toBe('stopped');
  });

  test('a run that another machine may be training is resumed only by taking it over', async () => {
    const { pid, ...status } = statusOf(run);
    const owner = { ...status, host: 'another-host', boot: 'another', pid: pid + 1, nonce: 'another', at: 0 };
    writeFileSync(ownerFile(run), JSON.stringify(owner));
    await window.expand(window.row('1 run'));
    await window.contextMenu(window.row(name), 'Resume Run');
    await dialog()
      .getByText(/another-host/)
      .waitFor();
    await window.screenshot('resume-owned');
    await window.modal('another-host', 'Take Over');
    await window.modal('have changed', 'Continue with Changed Files');
    await expect.poll(() => statusOf(run).state, { timeout: 900_000 }).toBe('finished');
    expect(events('resumed')).toHaveLength(1);
    expect(events('inputs-accepted')).toHaveLength(1);
    await window.row('Stopped at step 10').waitFor({ state: 'detached' });
  });

  test('a trial of a cluster that no process follows is resumed only with its whole sweep', async () => {
    await window.expand(window.row('swept'));
    await window.expand(window.row('Sweep ·'));
    await window.expand(window.row('2 trials stopped'));
    const resume = () => window.contextMenu(window.row('rank 4'), 'Resume Run');
    const asked = 'Continue the whole sweep of swept to resume Trial 2 · rank 4?';
    const refused = window.toast('Model is missing');
    await resume();
    await dialog()
      .getByText(/will be submitted to Slurm, including those that were stopped/)
      .waitFor();
    await window.screenshot('resume-trial');
    await window.modal(asked, 'Cancel');
    await dialog().waitFor({ state: 'hidden' });
    expect(await refused.count()).toBe(0);
    // It would be submitted now, if its experiment were complete.
    await resume();
    await window.modal(asked, 'Continue Sweep');
    await refused.waitFor();
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
