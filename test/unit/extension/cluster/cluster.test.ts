import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Catalog } from '../../../../src/extension/runs/catalog';
import { inProgress, isIdle } from '../../../../src/extension/queue/in-progress';
import { pageTrial } from '../../../../src/extension/panels/sweep/page-trial';
import { factsOf } from '../../../../src/extension/panels/sweep/sweep-facts';
import { lossText } from '../../../../src/extension/words/cluster/loss-text';
import { trialRow, trialsRow, trialsWithoutRun } from '../../../../src/extension/words/cluster/trial-row';
import { artifactNodes, checkpointsThereRow, readArtifacts } from '../../../../src/extension/tree/artifacts';
import { runRow } from '../../../../src/extension/words/run-row';
import { sweepRow } from '../../../../src/extension/words/sweep-row';
import { sweepEndText } from '../../../../src/extension/words/end-text';
import type { StopReason } from '../../../../src/protocol/events';
import type {
  ClusterFile,
  ClusterTrial,
  ClusterTrialState,
} from '../../../../src/protocol/run-files/cluster';
import { createRun, experimentRuns, reserveRunId, runPaths } from '../../../../src/runs/layout';
import { readSweep, writeSweep } from '../../../../src/runs/sweep/record';
import type { SweepToPage } from '../../../../src/protocol/panels/sweep';
import { SweepSession } from '../../../../src/extension/panels/sweep/sweep-session';
import type { SweepEntry } from '../../../../src/extension/runs/store';
import { clusterPath } from '../../../../src/runs/sweep/cluster-file';
import { trialWord } from '../../../../webview/sweep/sweep-model';
import { temporaryFolders } from '../../runs/folder';
import { context } from '../row-context';
import { evaluated, started } from '../run-maker';
import { finishedTrial, makeSweep, type TrialMade } from '../sweep-folder';

const folder = temporaryFolders();
const rank = (value: number) => ({ 'adapter.rank': value });
const HOUR = 3_600_000;
/** Its trainer is on another machine, and its heartbeat came late. */
const NODE = { host: 'node7', boot: 'another' } as const;
const late = { ...NODE, state: 'running', step: 50, heartbeat: Date.now() - HOUR } as const;
const stopped = (reason: StopReason): TrialMade => ({
  settings: rank(8),
  events: [started, evaluated(40, 0.6), { kind: 'stopped', step: 40, reason }],
  status: { ...NODE, state: 'stopped', step: 40 },
});
const training: TrialMade = { settings: rank(4), events: [started], status: late };

const slurm = (trials: Record<string, ClusterTrial>, more: Partial<ClusterFile> = {}): ClusterFile => ({
  ...{ version: 1, executor: 'slurm', place: 'login', at: Date.now() },
  trials,
  ...more,
});

/** The editor's entry of a sweep whose folder has this cluster.json, written as it is. */
async function seen(
  trials: readonly TrialMade[],
  cluster: unknown,
  state: 'running' | 'stopped' = 'running',
) {
  const file = join(folder(), 'demo.aurora.json');
  const spec = { type: 'list', seed: 0, trials: trials.map((made) => made.settings) } as const;
  const sweepFolder = makeSweep(
    file,
    { ...{ spec, trials, varied: ['adapter.rank'] }, on: 'slurm' },
    { state },
  );
  writeFileSync(clusterPath(sweepFolder), typeof cluster === 'string' ? cluster : JSON.stringify(cluster));
  writeFileSync(file, '{}');
  const catalog = new Catalog();
  catalog.setPlaces([file], [dirname(file)]);
  await catalog.look();
  const [experiment] = catalog.experiments();
  const [sweep] = experiment.sweeps;
  const byNumber = new Map(experiment.runs.map((r) => [r.trial!.number, r]));
  return { catalog, sweep, sweepFolder, runs: experiment.runs, run: (n: number) => byNumber.get(n)! };
}

describe('a trial on a cluster', () => {
  it('runs, if its scheduler says so, however late its heartbeat comes', async () => {
    const { run } = await seen([training], slurm({ t1: { state: 'running', job: '1_0', node: 'node7' } }));
    expect(run(1).state).toBe('running');
    expect(runRow(run(1), context).description).toMatch(/^step 50\/120 · 41% · on node7/);
  });

  it('is lost, if its scheduler says so, with the reason and the log', async () => {
    const log = '/shared/logs/1_0.log';
    const lost = { state: 'lost', code: 'NODE_FAIL', job: '1_0', log } as const;
    const { run } = await seen([training], slurm({ t1: lost }));
    const row = runRow(run(1), context);
    expect(row.description).toMatch(/^lost at step 50 · its node failed/);
    expect(row.capabilities).toEqual(expect.arrayContaining(['canResume', 'canShowClusterLog']));
  });

  it('that was preempted is in the queue: it can be stopped, and is not started here', async () => {
    const queued = { state: 'queued', code: 'BeginTime', job: '1_0', restarts: 1 } as const;
    const { run } = await seen([stopped('preempted')], slurm({ t1: queued }));
    const row = runRow(run(1), context);
    expect(row.spoken).toMatch(/^Run #1 rank 8, preempted, .*preempted at step 40, requeued a moment ago/);
    expect(row.capabilities).toContain('canStop');
    for (const word of ['canResume', 'canDelete']) expect(row.capabilities).not.toContain(word);
  });

  it('is finished once its folder says so, whatever the scheduler still says', async () => {
    const { run } = await seen(
      [finishedTrial(rank(1), 0.8)],
      slurm({ t1: { state: 'lost', job: '1_0', code: 'NODE_FAIL' } }),
    );
    expect(run(1).state).toBe('finished');
  });

  it('is what its folder says if cluster.json is damaged or of another version', async () => {
    for (const content of ['{"half', '{"version":2}', 'null', '{"version":1,"trials":{"t1":7}}'])
      expect((await seen([training], content)).run(1).state, content).toBe('lost');
  });

  it('offers the checkpoints that stayed on the cluster, until they are here', async () => {
    const made = finishedTrial(rank(4), 0.8);
    const saved = { kind: 'checkpoint', step: 120, path: 'checkpoints/step-000120' } as const;
    const trial = { state: 'finished', job: '1_0', collected: true } as const;
    const ofRun = async (events: TrialMade['events'], said: ClusterTrial, keepsCheckpoints?: true) => {
      const { run } = await seen(
        [{ ...made, events }],
        slurm({ t1: said }, keepsCheckpoints && { keepsCheckpoints }),
      );
      const entry = run(1);
      const nodes = async () =>
        artifactNodes(entry.folder, await readArtifacts(entry.folder), entry).map((node) => node.kind);
      return { entry, nodes };
    };
    const events = [...made.events!, saved];
    const { entry, nodes } = await ofRun(events, trial, true);
    expect(await nodes()).toEqual(['checkpointsThere']);
    const { label, description } = checkpointsThereRow(entry);
    expect([label, description]).toEqual(['Bring Checkpoints', 'on Slurm']);
    mkdirSync(join(runPaths(entry.folder).checkpoints, 'step-000120'), { recursive: true });
    expect(await nodes()).toEqual(['checkpoint']);
    // The folder is shared, it has not been brought yet, or none was saved.
    for (const none of [
      await ofRun(events, trial),
      await ofRun(events, { ...trial, collected: undefined }, true),
      await ofRun(made.events, trial, true),
    ])
      expect(await none.nodes()).toEqual([]);
  });

  it('changes as soon as cluster.json does', async () => {
    const { catalog, sweepFolder } = await seen([training], slurm({ t1: { state: 'running', job: '1_0' } }));
    writeFileSync(
      clusterPath(sweepFolder),
      JSON.stringify(slurm({ t1: { state: 'queued', job: '1_0', restarts: 1 } })),
    );
    const { runs, structure } = await catalog.look();
    expect([runs.map((r) => r.state), structure]).toEqual([['queued'], true]);
  });
});

const ASKED = { metric: 'accuracy' } as const;
const WAITING = [rank(1), rank(2), rank(4)].map((settings): TrialMade => ({ settings }));
const PRIORITY = { state: 'queued', code: 'Priority', job: '1_0' } as const;

describe('trials without a run', () => {
  it('have a row for each state, with the most frequent reasons', async () => {
    const { sweep, runs } = await seen(
      [...WAITING, { settings: rank(16) }],
      slurm({
        t1: PRIORITY,
        t2: { state: 'queued', code: 'Resources', job: '1_1' },
        t3: { ...PRIORITY, job: '1_2' },
        t4: { state: 'lost', code: 'NODE_FAIL', job: '1_3' },
      }),
    );
    const rows = [...trialsWithoutRun(sweep, runs)].map(([state, trials]) =>
      trialsRow(state, trials, Math.min(trials.length, 2)),
    );
    expect(rows.map((r) => [r.label, r.description])).toEqual([
      ['1 trial lost', 'its node failed'],
      ['3 trials queued', 'other jobs are ahead of it (2) · waiting for free nodes (1) · showing 2'],
    ]);
  });

  it('have their run’s number as soon as it exists, in tree, page and notification', async () => {
    const queued = slurm({ t1: PRIORITY, t2: { ...PRIORITY, job: '1_1' }, t3: { ...PRIORITY, job: '1_2' } });
    const { catalog, sweepFolder, sweep, runs } = await seen(WAITING, queued);
    const labels = (entry: SweepEntry) =>
      [...trialsWithoutRun(entry, runs).values()].flat().map((trial) => trialRow(trial, context).label);
    expect(labels(sweep)).toEqual(['Trial 1 · rank 1', 'Trial 2 · rank 2', 'Trial 3 · rank 4']);
    // As a submission reserves them; other runs of the experiment come first.
    createRun(experimentRuns(sweep.experiment));
    const record = readSweep(sweepFolder)!;
    for (const trial of record.trials.slice(1)) trial.run = reserveRunId(experimentRuns(sweep.experiment));
    writeSweep(sweepFolder, record);
    expect((await catalog.look()).structure).toBe(true);
    const [now] = catalog.experiments()[0].sweeps;
    expect(labels(now)).toEqual(['Trial 1 · rank 1', '#2 rank 2', '#3 rank 4']);
    const [row] = trialsWithoutRun(now, runs).get('queued')!.slice(1);
    expect(trialRow(row, context).spoken).toBe('#2 rank 2, queued, other jobs are ahead of it');
    const posted: SweepToPage[] = [];
    const sent = new Promise<void>((resolve) =>
      new SweepSession({
        post: (message) => (posted.push(message), resolve()),
        read: () => Promise.resolve({ sweep: now, runs }),
        context: () => context,
        failed: (e) => {
          throw e;
        },
      }).snapshot(),
    );
    await sent;
    expect(posted[0]).toMatchObject({
      trials: [
        { number: 1, name: 'Trial 1 · rank 1' },
        { number: 2, name: '#2 rank 2', runNumber: 2 },
        { number: 3, name: '#3 rank 4', runNumber: 3 },
      ],
    });
    const lost = { ...now.cluster!, trials: { t2: { state: 'lost', job: '1_1' } as const } };
    expect(lossText({ ...now, cluster: lost }, runs, ['t2'])).toMatch(/^Slurm lost #2 rank 2, a trial of/);
    expect((await catalog.look()).structure).toBe(false);
  });

  it('can be stopped while they wait, and resumed after that; not in an untrusted workspace', () => {
    const row = (cluster: ClusterTrial, trusted = true) =>
      trialRow({ label: '#4 rank 2', cluster: { executor: 'slurm', ...cluster } }, { ...context, trusted });
    expect(row(PRIORITY)).toMatchObject({
      label: '#4 rank 2',
      description: 'queued · other jobs are ahead of it',
      capabilities: ['trial', 'canStop'],
      spoken: '#4 rank 2, queued, other jobs are ahead of it',
    });
    expect(row({ ...PRIORITY, state: 'cancelled' }).capabilities).toEqual(['trial', 'canResume']);
    expect(row(PRIORITY, false).capabilities).toEqual(['trial']);
  });

  it.each<[ClusterTrialState, string]>([
    ['queued', 'queued'],
    ['running', 'starting'],
    ['preempted', 'preempted'],
    ['finished', 'finished'],
    ['failed', 'failed'],
    ['cancelled', 'stopped'],
    ['lost', 'lost'],
  ])('that the scheduler calls %s are %s in the tree and on the page', (state, word) => {
    const record = { id: 't1', number: 1, settings: rank(1), planned: true };
    const label = 'Trial 1 · rank 1';
    const cluster = { executor: 'slurm', job: '1_0', state } as const;
    const asked = { ...ASKED, can: [] };
    const page = pageTrial(record, record.settings, { name: label }, undefined, asked, cluster);
    expect(trialRow({ label, cluster }, context).description).toBe(word);
    expect(trialsRow(state, [{ record, label, cluster }], 1).label).toBe(`1 trial ${word}`);
    expect(trialWord(page.state, 'running')).toBe(word);
  });
});

describe('a sweep on a cluster', () => {
  const trials = { t1: { ...PRIORITY }, t2: { state: 'lost', job: '1_1' } } as const;

  it('says where it runs, and how many trials wait or are lost', async () => {
    const { sweep, runs } = await seen(WAITING, slurm(trials));
    expect(sweepRow(sweep, runs, context)).toMatchObject({
      description: '0 of 3 · Slurm · 1 queued · 1 lost · rank',
      capabilities: ['sweep', 'canOpenSweep', 'canStopSweep'],
    });
  });

  it('does not make this machine busy', async () => {
    const { sweep, runs } = await seen([training], slurm({ t1: { state: 'running', job: '1_0' } }));
    const experiments = [{ sweeps: [sweep], claims: [] }] as never[];
    const store = { experiments: () => Promise.resolve(experiments), runs: () => Promise.resolve(runs) };
    expect(isIdle(await inProgress(store))).toBe(true);
  });

  it('that nobody follows can be continued and stopped, and says how old what is shown is', async () => {
    const { sweep, runs } = await seen(WAITING, slurm(trials), 'stopped');
    const row = sweepRow(sweep, runs, context);
    expect(row.description).toBe('not followed · 0 of 3 · Slurm · 1 queued · 1 lost · rank');
    expect(row.capabilities).toEqual(['sweep', 'canOpenSweep', 'canStopSweep', 'canGoOn']);
    expect(sweepEndText(sweep, runs)).toEqual({
      kind: 'warning',
      message: 'A trial of the sweep of demo is on Slurm, and no process is following it.',
      decision: { title: 'Continue', options: {} },
    });
    expect(factsOf(sweep, runs, context)).toMatchObject({
      on: 'Slurm on login',
      canStop: true,
      canResume: true,
      notice: expect.stringMatching(/^No process is following the trials on Slurm on login\./) as string,
    });
  });

  it('whose cluster is not responding says since when and why', async () => {
    const unreachable = { since: Date.UTC(2026, 0, 2), message: 'login cannot be reached.' };
    const { sweep, runs } = await seen(WAITING, slurm(trials, { unreachable }));
    expect(sweepRow(sweep, runs, context).description).toMatch(/^Slurm on login is not responding · 0 of 3/);
    expect(factsOf(sweep, runs, context).notice).toMatch(
      /^Slurm on login has not responded since .*: login cannot be reached\.$/,
    );
  });
});

describe('a loss', () => {
  const lost = { times: 1, at: 0, code: 'NODE_FAIL', node: 'n1' };

  it('is shown with its reason also after the trial was submitted again', async () => {
    const { sweep, runs } = await seen(WAITING, slurm({ t1: { ...PRIORITY, lost } }));
    expect(lossText(sweep, runs, ['t1'])).toBe(
      'Slurm lost Trial 1 · rank 1, a trial of the sweep of demo, on n1: its node failed. It was submitted again, and continues from its last checkpoint.',
    );
    const [record] = sweep.record.trials;
    const cluster = { executor: 'slurm', ...PRIORITY, lost } as const;
    const page = pageTrial(
      record,
      rank(1),
      { name: 'Trial 1 · rank 1' },
      undefined,
      { ...ASKED, can: [] },
      cluster,
    );
    expect([page.state, page.cluster]).toEqual([
      'queued',
      'other jobs are ahead of it · lost before: its node failed',
    ]);
  });

  it('of several trials is one message; one that the scheduler has forgotten has a reason, too', async () => {
    const forgotten = { state: 'lost', job: '1_1', lost: { times: 1, at: 0 } } as const;
    const { sweep, runs } = await seen(WAITING, slurm({ t1: forgotten, t2: forgotten }));
    expect(lossText(sweep, runs, ['t1', 't2'])).toBe(
      'Slurm lost 2 trials of the sweep of demo: no longer listed by the scheduler. Those that have not finished are submitted again, at most three times without a new step.',
    );
  });
});
