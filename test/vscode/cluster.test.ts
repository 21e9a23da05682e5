import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { hasSlurm, Slurm } from '../cluster/slurm';
import { hasSshd, startSshd, type Sshd } from '../cluster/sshd';
import { CLI, suspend } from '../cli/lab';
import { readRun } from '../read-run';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { programs } from './driver/processes';
import { Window } from './driver/window';
import { statusOf } from './journal';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/** A sweep on a real Slurm, from the Command Palette to the Study panel. */
describe.skipIf(!hasSlurm)('a sweep on Slurm, in VS Code 1.100', () => {
  // A node has two CPUs: one trial at a time.
  const lab = tinyWorkspace({
    training: { epochs: 80, evaluateEvery: 120, checkpointEvery: 240 },
    cluster: { slurm: { cpus: 2, time: '10', prologue: ['export AURORA_TEST_PROLOGUE=1'] } },
    sweep: { type: 'grid', parameters: { 'training.seed': [1, 2, 3] } },
  });
  const runs = join(lab.folder, '.aurora/runs/tiny');
  const cluster = realpathSync(mkdtempSync(join(tmpdir(), 'a-')));
  let slurm: Slurm;
  let sshd: Sshd | undefined;
  let server: WorkbenchServer;
  let window: Window;

  beforeAll(async () => {
    slurm = await Slurm.start({ nodes: ['node1'] });
    const { PATH, SLURM_CONF } = slurm.env;
    if (hasSshd) sshd = await startSshd(join(cluster, 's'), { PATH: PATH!, SLURM_CONF: SLURM_CONF! });
    // VS Code takes the PATH from a login shell.
    const home = join(cluster, 'home');
    mkdirSync(home);
    if (sshd) writeFileSync(join(home, '.profile'), `export PATH='${sshd.env.PATH}'\n`);
    server = await startWorkbench({
      version: '1.100',
      name: 'cluster',
      vsix: vsixHere(),
      env: {
        ...(slurm.env as Record<string, string>),
        ...sshd?.env,
        HOME: home,
        AURORA_CLUSTER_LOOK_MS: '500',
      },
    });
    window = await Window.open(server, lab.folder);
    await window.sideBar();
    await window.row('tiny').waitFor();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    for (const pid of server ? programs(server.profile, 'sweep') : []) process.kill(pid, 'SIGKILL');
    await slurm?.stop();
    await server?.stop();
    await sshd?.stop();
    await closeBrowser();
    lab.remove();
    rmSync(cluster, { recursive: true, force: true });
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
  const squeue = () => slurm.command('squeue', '--noheader', '--array', '--format=%T').trim().split('\n');
  const runningTrial = (): number | undefined => {
    const ids = existsSync(runs) ? readdirSync(runs) : [];
    const begun = ids.map((id) => join(runs, id)).filter((run) => existsSync(join(run, 'status.json')));
    return begun.map(statusOf).find(({ state, step }) => state === 'running' && step > 0)?.pid;
  };
  const group = () => window.row('Sweep ·');

  test('Run Sweep asks where, shows what the experiment runs there, and does not start without consent', async () => {
    await window.openFile('tiny.aurora.json');
    await window.palette('AuroRA: Run Sweep');
    await window.page.getByPlaceholder('Select where to run it').waitFor();
    const places = await window.page.locator('.quick-input-list .monaco-list-row').allInnerTexts();
    expect(places.map((p) => p.split('\n')[0])).toEqual([
      expect.stringContaining('This machine'),
      expect.stringContaining('Slurm'),
    ]);
    await window.screenshot('cluster-where');
    await window.pick('Slurm');
    const dialog = window.page.locator('.monaco-dialog-box', {
      hasText: 'with these settings of the experiment tiny',
    });
    await dialog.waitFor();
    expect(await dialog.innerText()).toContain('export AURORA_TEST_PROLOGUE=1');
    await window.screenshot('cluster-consent');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect(existsSync(join(lab.folder, '.aurora/sweeps'))).toBe(false);
    await window.palette('AuroRA: Run Sweep');
    await window.page.getByPlaceholder('Select where to run it').waitFor();
    await window.pick('Slurm');
    await window.modal('with these settings of the experiment tiny', 'Run on Slurm');
  });

  test('the tree and the page show where a trial runs, and why others wait', async () => {
    await expect.poll(runningTrial, { interval: 20, timeout: 120_000 }).toBeDefined();
    // It would end before a slow window has shown it.
    await suspend(runningTrial()!);
    await untilSpoken(/^Sweep · \w{4}, running, 0 of 3, Slurm, 2 queued/);
    await window.expand(group());
    await untilSpoken(
      /^2 trials queued, (waiting for free nodes|other jobs are ahead of it)/,
      /^Run (#\d+ )?seed 1, running, .*on node1/,
    );
    const page = await window.frameWith('aurora-sweep .trial-row');
    await expect
      .poll(() => page.locator('.trial-row').allInnerTexts())
      .toEqual([
        expect.stringMatching(/^(★ )?#\d+\s+1\s+running · on node1/),
        expect.stringMatching(/^#\d+\s+2\s+queued · (waiting for free nodes|other jobs are ahead of it)/),
        expect.stringMatching(/^#\d+\s+3\s+queued · (waiting for free nodes|other jobs are ahead of it)/),
      ]);
    await window.screenshot('cluster-running');
  });

  test('the log of a trial on the cluster opens, and follows', async () => {
    await window.contextMenu(window.row('seed 1'), 'Show Cluster Log');
    await window.tab(/Cluster Log of #\d+ seed 1/).waitFor();
    await window.page.locator('.editor-instance .view-lines', { hasText: /step.\d+/ }).waitFor();
    await window.screenshot('cluster-log');
  });

  test('a queued trial leaves the queue, and is submitted again when it is resumed', async () => {
    await window.expand(window.row('2 trials queued'));
    await window.contextMenu(window.row('seed 3'), 'Stop Run');
    await window.said(/#\d+ seed 3 is taken out of the queue\./);
    await untilSpoken(/^1 trial stopped/);
    await expect.poll(squeue).toHaveLength(2);
    await window.expand(window.row('1 trial stopped'));
    await window.contextMenu(window.row('seed 3'), 'Resume Run');
    await window.said(/#\d+ seed 3 will be submitted to Slurm again\./);
    await expect.poll(squeue).toHaveLength(3);
    process.kill(runningTrial()!, 'SIGCONT');
  });

  test('a window that is reloaded follows it to its end, and opens the study', async () => {
    await window.reload();
    await window.sideBar();
    await untilSpoken(/^Sweep · \w{4}, finished, 3 trials, Slurm, best [\d.]+% accuracy/);
    await window.expand(group());
    await untilSpoken(...[1, 2, 3].map((seed) => new RegExp(`^Run (#\\d+ )?seed ${seed}, finished, `)));
    const ids = readdirSync(runs);
    expect(ids).toHaveLength(3);
    for (const id of ids) {
      const { scalars, result } = readRun(join(runs, id));
      expect([scalars.records, result?.outcome]).toEqual([960, 'finished']);
    }
    await window.contextMenu(group(), 'Open Sweep');
    const page = await window.frameWith('aurora-sweep .trial-row');
    await page.locator('[data-action=study]').click();
    await window.frameWith('aurora-study h2');
    await window.screenshot('cluster-study');
  });

  test.skipIf(!hasSshd)('checkpoints that stayed on a cluster come with a click, or for a fork', async () => {
    const apart = {
      ...(JSON.parse(lab.read('tiny.aurora.json')) as object),
      cluster: { slurm: { host: sshd!.host, folder: cluster, cpus: 2 } },
      sweep: { type: 'grid', parameters: { 'training.seed': [8, 9], 'training.epochs': [40] } },
    };
    lab.write('apart.aurora.json', JSON.stringify(apart));
    const sweep = spawn(process.execPath, [CLI, 'sweep', lab.path('apart.aurora.json'), '--on', 'slurm'], {
      env: { ...process.env, ...sshd!.env, AURORA_CLUSTER_LOOK_MS: '500' },
      stdio: 'ignore',
    });
    expect(await once(sweep, 'close')).toEqual([0, null]);
    await window.expand(window.row('apart'));
    await window.expand(window.row('Sweep ·'));
    await window.expand(window.row('seed 9'));
    const bring = window.row('Bring Checkpoints');
    await bring.waitFor();
    await window.screenshot('cluster-checkpoints');
    await bring.click();
    await window.row('Checkpoint at step 480').waitFor({ timeout: 60_000 });
    expect(await bring.count()).toBe(0);
    const apartRuns = join(lab.folder, '.aurora/runs/apart');
    const complete = () =>
      readdirSync(apartRuns).filter((run) => {
        const steps = (of: string) => (existsSync(of) ? readdirSync(of).sort() : []);
        const [here, there] = ['', cluster].map((at) => steps(`${at}${join(apartRuns, run, 'checkpoints')}`));
        return isDeepStrictEqual(here, there);
      }).length;
    expect(complete()).toBe(1);
    await window.contextMenu(window.row('seed 8'), 'Fork Run');
    await window.pressToast('are on the cluster that trained it', 'Bring Checkpoints');
    await window.page
      .locator('.quick-input-list .monaco-list-row', { hasText: 'Step 240' })
      .waitFor({ timeout: 60_000 });
    expect(complete()).toBe(2);
    await window.page.keyboard.press('Escape');
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
