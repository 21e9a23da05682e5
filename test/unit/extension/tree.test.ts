import type { ClusterFile } from '../../../src/protocol/run-files/cluster';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { labelOfId, runLabel } from '../../../src/extension/runs/label';
import type { RunEntry, ShownState, SweepEntry } from '../../../src/extension/runs/store';
import { trialsRow, type QueuedTrial } from '../../../src/extension/words/cluster/trial-row';
import { sortRuns } from '../../../src/extension/runs/run-sort';
import { matchesFilter } from '../../../src/extension/tree/arrange';
import { adapterRow, checkpointRow, readArtifacts } from '../../../src/extension/tree/artifacts';
import { runFolderOf } from '../../../src/extension/runs/nodes';
import { ShownRuns } from '../../../src/extension/tree/shown-runs';
import { experimentRow } from '../../../src/extension/tree/experiment-row';
import { formatMetric, type MetricName } from '../../../src/experiment/metrics';
import { ago, bytes } from '../../../src/extension/words/format';
import { runDetails } from '../../../src/extension/words/run-details';
import { runRow } from '../../../src/extension/words/run-row';
import { bySweep, sweepRow } from '../../../src/extension/words/sweep-row';
import type { UnexpectedEnd } from '../../../src/protocol/run-files/unexpected-end';
import { sweepEndText } from '../../../src/extension/words/end-text';
import { readRunSummary } from '../../../src/runs/run-summary';
import type { RunUser } from '../../../src/runs/user';
import { AuroraError } from '../../../src/base/errors';
import type { NewEvent, RunStatus, StopReason } from '../../../src/protocol/events';
import { temporaryFolders } from '../runs/folder';
import { context, NOW } from './row-context';
import { exportRecord } from './transfer/record';
import { evaluated, finished, makeRun, metrics, spec, started } from './run-maker';
import { sweepEntry } from './sweep-maker';

const folder = temporaryFolders();
const minutes = (n: number) => NOW - n * 60_000;

function entry(
  state: ShownState,
  options: {
    events?: NewEvent[];
    status?: Partial<RunStatus>;
    user?: RunUser;
    metric?: MetricName;
    at?: number;
  } = {},
): RunEntry {
  const { events, status, user = {}, metric = 'accuracy', at = minutes(5) } = options;
  const run = makeRun(join(folder(), 'demo.aurora.json'), {
    at: new Date(at),
    events,
    status: { startedAt: at, heartbeat: minutes(3), ...status },
    spec: { ...spec, training: { ...spec.training, metric } },
  });
  // The journal uses the test's clock, while rows have a fixed time.
  const summary = readRunSummary(run);
  const told = { ...summary, events: summary.events.map((e) => ({ ...e, t: minutes(3) })) };
  return { folder: run, id: told.id, experiment: 'demo.aurora.json', state, run: told, user };
}

describe('thousands of runs below a row', () => {
  const sweep = { kind: 'sweep', folder: '/sweep' } as const;
  const more = { kind: 'more', below: sweep } as const;
  const runs = Array.from({ length: 9000 }, (_, i) => ({ folder: `/runs/${i}` }));

  it('are shown as the first of them, a row for the others, and more on request', () => {
    const shown = new ShownRuns({ filter: '', sort: 'newest' });
    const rows = shown.below(sweep, runs);
    expect(rows).toHaveLength(201);
    expect([rows[199], rows[200]]).toEqual([{ kind: 'run', folder: '/runs/199' }, more]);
    expect(shown.moreRow(more)).toMatchObject({
      label: 'Show More',
      description: '8,800 more runs',
    });
    shown.more(more);
    expect(shown.below(sweep, runs)).toHaveLength(701);
    expect(shown.below({ ...sweep, folder: '/other' }, runs)).toHaveLength(201);
    shown.below(sweep, runs.slice(0, 701));
    expect(shown.moreRow(more).description).toBe('1 more run');
    expect(shown.below(sweep, runs.slice(0, 700))).toHaveLength(700);
    expect(runFolderOf(more)).toBeUndefined();
  });

  it('are counted with separators, as in the row for the others', () => {
    const some = Array.from({ length: 1234 }, () => ({ state: 'finished' }) as RunEntry);
    const row = (shown: number) =>
      experimentRow(
        { name: 'demo', exists: true, runs: some, hasSweep: true, hasClaim: false },
        shown,
        '',
        context,
      );
    expect([row(1234), row(1200)].map((r) => r.description)).toEqual(['1,234 runs', '1,200 of 1,234 runs']);
    const record = {
      trials: some.map(() => ({ planned: true })),
      varied: ['training.seed'],
      metric: 'accuracy',
    };
    const entry = { folder: '/sweep', state: 'finished', record } as unknown as SweepEntry;
    expect(sweepRow(entry, some, context).description).toBe('1,234 trials · seed');
    const single = { ...entry, record: { ...record, trials: record.trials.slice(1_233) } } as SweepEntry;
    expect(sweepRow(single, some.slice(1_233), context).description).toBe('1 trial · seed');
    expect(sweepRow(entry, some.slice(1), context).description).toBe('1,233 of 1,234 · seed');
    const waiting = some.map((_, i) => ({ record: {}, cluster: { job: `1_${i}` } }) as QueuedTrial);
    expect(trialsRow('queued', waiting, 200)).toMatchObject({
      label: '1,234 trials queued',
      description: 'showing 200',
    });
  });
});

describe("a run's row", () => {
  it('shows the progress, the metric and the start time of a running run', () => {
    const run = entry('running', {
      events: [started, evaluated(40, 0.871)],
      status: { step: 45, steps: 120 },
    });
    expect(runRow(run, context)).toMatchObject({
      lead: '87.1%',
      description: 'accuracy · step 45/120 · 37% · started 5 min ago',
      icon: { id: 'sync~spin' },
    });
    expect(runRow(run, context).capabilities).toEqual(expect.arrayContaining(['canStop', 'canOpen']));
    expect(runRow(run, context).capabilities).not.toContain('canDelete');
  });

  it("shows a finished run's best value of its metric", () => {
    const events = [started, evaluated(40, 0.9), evaluated(80, 0.8, false), finished(120, 0.8)];
    expect(runRow(entry('finished', { events }), context)).toMatchObject({
      lead: '90.0%',
      description: 'accuracy · 3 min ago',
    });
    expect(runRow(entry('finished', { events, metric: 'loss' }), context)).toMatchObject({
      lead: '0.1000',
      description: 'loss · 3 min ago',
    });
  });

  it('shows how other runs ended and allows resuming them', () => {
    const at40 = { step: 40, steps: 120 };
    for (const state of ['stopped', 'failed', 'lost'] as const) {
      const row = runRow(entry(state, { events: [started], status: at40 }), context);
      expect(row.description).toBe(`${state} at step 40 · 3 min ago`);
      expect(row.capabilities).toEqual(expect.arrayContaining(['canResume', 'canDelete']));
      expect(row.capabilities).not.toContain('canFork');
    }
    const checkpoint: NewEvent = { kind: 'checkpoint', step: 40, path: 'checkpoints/step-000040' };
    expect(runRow(entry('lost', { events: [checkpoint] }), context).capabilities).toContain('canFork');
  });

  it('shows a damaged run and the actions that still work', () => {
    const damaged: RunEntry = {
      folder: '/r',
      id: 'r',
      experiment: '',
      state: 'damaged',
      error: new AuroraError('run', '/r/spec.json is missing.', 'Check it.'),
      user: {},
    };
    const row = runRow(damaged, context);
    expect(row.description).toBe('/r/spec.json is missing');
    expect(row.capabilities).toEqual(
      expect.arrayContaining(['canReveal', 'canDelete', 'canDiagnose', 'canStar']),
    );
    for (const word of ['canOpen', 'canResume', 'canFork', 'canStop'])
      expect(row.capabilities).not.toContain(word);
    expect(runDetails(damaged, 'en').error).toEqual({
      message: '/r/spec.json is missing.',
      hint: 'Check it.',
    });
  });

  it('has an accessible label of one sentence that includes the star', () => {
    const run = entry('finished', {
      events: [started, evaluated(40, 0.9)],
      user: { name: 'rank 8', star: true },
    });
    const row = runRow(run, context);
    expect(row.label).toBe('★ rank 8');
    expect(row.spoken).toBe('Run rank 8, finished, starred, 90.0% accuracy, 3 min ago');
    expect(row.capabilities).toContain('canUnstar');
  });

  it('has a tooltip with settings, error and times', () => {
    const failed: NewEvent = {
      kind: 'failed',
      step: 40,
      error: 'disk',
      message: 'The disk is full.',
      hint: 'Free some.',
    };
    const run = entry('failed', {
      events: [started, evaluated(40, 0.9), failed],
      status: { step: 40 },
      user: { note: 'with warm-up' },
    });
    const details = runDetails(run, 'en');
    expect(details).toMatchObject({
      note: 'with warm-up',
      error: { message: 'The disk is full.', hint: 'Free some.' },
      folder: run.folder,
    });
    expect(Object.fromEntries(details.facts)).toMatchObject({
      Method: 'AuroRA, rank 2, alpha 2, on all-linear',
      'Best accuracy': '90.0% at step 40',
      Step: '40 / 120',
      Duration: '2 min',
    });
  });
});

describe('the list of runs', () => {
  const at = (n: number, accuracy: number | undefined, user: RunUser = {}, metric: MetricName = 'accuracy') =>
    entry('finished', {
      at: minutes(n),
      events: accuracy === undefined ? [] : [evaluated(1, accuracy)],
      user,
      metric,
    });
  const names = (runs: RunEntry[]) => runs.map((r) => r.user.name);

  it('puts starred runs first, then sorts by time, metric or name', () => {
    const runs = [
      at(1, 0.5, { name: 'b10' }),
      at(2, undefined, { name: 'a' }),
      at(3, 0.9, { name: 'b9' }),
      at(4, 0.1, { name: 'z', star: true }),
    ];
    expect(names(sortRuns(runs, 'newest'))).toEqual(['z', 'b10', 'a', 'b9']);
    expect(names(sortRuns(runs, 'metric'))).toEqual(['z', 'b9', 'b10', 'a']);
    expect(names(sortRuns(runs, 'name'))).toEqual(['z', 'a', 'b9', 'b10']);
  });

  it('ranks a lower loss first', () => {
    const runs = [at(1, 0.1, { name: 'bad' }, 'loss'), at(2, 0.9, { name: 'good' }, 'loss')];
    expect(names(sortRuns(runs, 'metric'))).toEqual(['good', 'bad']);
  });

  it('is filtered by every word over name, note, state, method, metric and experiment', () => {
    const run = at(1, 0.5, { name: 'Rank 8', note: 'too slow' });
    for (const filter of ['', 'rank', 'slow 8', 'FINISHED', 'aurora', 'accuracy', 'demo', run.id.slice(0, 8)])
      expect(matchesFilter(run, 'demo', filter), filter).toBe(true);
    for (const filter of ['lora-only', 'rank failed', 'starred'])
      expect(matchesFilter(run, 'demo', filter)).toBe(false);
  });
});

describe('a sweep', () => {
  const trialOf = (state: ShownState, number: number, events: NewEvent[], step = 40): RunEntry => ({
    ...entry(state, { events: [started, ...events], status: { step, steps: 120 } }),
    trial: { sweep: '1a2b3c4d', trial: `t${number}`, number, settings: { 'adapter.rank': number } },
  });
  const stop = (reason: StopReason): NewEvent => ({ kind: 'stopped', step: 40, reason });
  const trials = [
    trialOf('finished', 1, [evaluated(40, 0.61)]),
    trialOf('stopped', 2, [evaluated(40, 0.5), stop('rung'), stop('pruned')]),
    trialOf('stopped', 4, [evaluated(40, 0.7), stop('rung')]),
  ];

  it('contains its own trials, and other runs stay with their experiment', () => {
    const other = entry('finished');
    const ofAnother = { ...entry('finished'), trial: { ...trials[0].trial!, sweep: 'gone' } };
    const { groups, others } = bySweep([sweepEntry('running')], [other, ...trials, ofAnother]);
    expect(groups.map((g) => g.runs)).toEqual([trials]);
    expect(others).toEqual([other, ofAnother]);
    expect(bySweep([sweepEntry('stopped')], []).groups).toEqual([]);
  });

  it('shows its progress, its best trial and the possible actions', () => {
    const running = sweepRow(sweepEntry('running'), trials, context);
    expect(running).toMatchObject({
      label: 'Sweep · 1a2b',
      description: '2 of 4 · best 70.0% accuracy · 1 pruned · rank',
      icon: { id: 'sync~spin' },
      capabilities: ['sweep', 'canOpenSweep', 'canStopSweep'],
    });
    const sending = { files: 2, bytes: 2e9, sent: 5e8 };
    const cluster: ClusterFile = { version: 1, executor: 'slurm', place: '', at: 0, sending, trials: {} };
    expect(sweepRow({ ...sweepEntry('running'), cluster }, trials, context).description).toBe(
      '2 of 4 · Slurm · sending models and data: 500 MB of 2.0 GB · best 70.0% accuracy · 1 pruned · rank',
    );
    const stopped = sweepRow(sweepEntry('stopped'), trials, context);
    expect(stopped.description).toBe('2 of 4 · best 70.0% accuracy · 1 pruned · stopped · rank');
    expect(stopped.capabilities).toEqual(['sweep', 'canOpenSweep', 'canGoOn']);
    expect(sweepRow(sweepEntry('stopped'), trials, { ...context, trusted: false }).capabilities).toEqual([
      'sweep',
      'canOpenSweep',
    ]);
  });

  it('shows the best by its own metric, which need not be the one that training chose by', () => {
    const lower: NewEvent = {
      ...evaluated(80, 0.6, false),
      metrics: { ...metrics(0.6), loss: 0.2 },
    } as NewEvent;
    const byLoss = sweepEntry('finished');
    byLoss.record.metric = 'loss';
    const trial = trialOf('finished', 1, [evaluated(40, 0.61), lower]);
    expect(sweepRow(byLoss, [trial], context).description).toContain('best 0.2000 loss');
  });

  it('does not count trials with a learning rate that lost a search', () => {
    const entry = sweepEntry('finished');
    const passed = entry.record.trials.map((trial, i) =>
      i > 1 ? { ...trial, passedOver: true as const } : trial,
    );
    const row = sweepRow({ ...entry, record: { ...entry.record, trials: passed } }, trials, context);
    expect(row.description).toMatch(/^2 trials · /);
    expect(row.capabilities).toEqual(['sweep', 'canOpenSweep']);
  });

  it('names trials by the settings that vary and says why they stopped', () => {
    const rows = trials.map((trial) => runRow(trial, context));
    expect(rows.map((row) => row.label)).toEqual(['rank 1', 'rank 2', 'rank 4']);
    expect(rows[1]).toMatchObject({
      lead: '50.0%',
      description: expect.stringMatching(/^accuracy · pruned at step 40 · /) as unknown,
      icon: { id: 'circle-slash' },
    });
    expect(rows[2].description).toMatch(/^accuracy · waiting for other trials at step 40 · /);
    expect(runLabel({ ...trials[0], user: { name: 'mine' } })).toBe('mine');
    expect(runLabel({ ...trials[0], trial: { ...trials[0].trial!, settings: {} } })).toBe('Trial 1');
  });

  it('reports how it ended', () => {
    expect(sweepEndText(sweepEntry('finished'), trials)).toEqual({
      kind: 'information',
      message: 'The sweep of demo has finished. Best: 70.0% accuracy.',
    });
    expect(sweepEndText(sweepEntry('stopped'), trials).message).toBe(
      'The sweep of demo was stopped; 2 of 4 trials are done, and everything is saved. Best so far: 70.0% accuracy.',
    );
    const killed = (end?: UnexpectedEnd) => sweepEndText({ ...sweepEntry('lost'), ...(end && { end }) }, []);
    expect([killed(), killed({}), killed({ signal: 'SIGKILL' }), killed({ signal: 'SIGSEGV' })]).toEqual(
      [
        'The sweep of demo ended unexpectedly. Use Run Sweep to continue it.',
        'The sweep of demo ended unexpectedly. Use Run Sweep to continue it.',
        'The sweep of demo ended unexpectedly: it was killed (SIGKILL), most likely because memory ran out. Free memory, then use Run Sweep to continue it.',
        'The sweep of demo ended unexpectedly: the program crashed (SIGSEGV). Use Run Sweep to continue it.',
      ].map((message) => ({ kind: 'error', message })),
    );
  });

  it.each([
    ['owned', 'stopped', 'Take Over', { takeOver: true }, 'owned by another machine'],
    [
      'inputs',
      'finished',
      'Continue with Changed Files',
      { acceptChangedInputs: true },
      'files have changed',
    ],
  ] as const)("offers the user's choices if trials were left: %s", (kind, state, title, options, words) => {
    const entry = sweepEntry(state);
    entry.record.ended = { kind, message: 'Trial 4 was left.' };
    expect(sweepEndText(entry, trials)).toEqual({
      kind: 'warning',
      message: 'The sweep of demo is not complete. Trial 4 was left. Best so far: 70.0% accuracy.',
      decision: { title, options },
    });
    const row = sweepRow(entry, trials, context);
    expect(row.description).toContain(`${words} · rank`);
    expect(row.capabilities).toContain('canGoOn');
  });
});

describe('other rows', () => {
  it("show the number of an experiment's runs, also when filtered, and a missing file", () => {
    const runs = [entry('running', { events: [started] }), entry('finished')];
    const row = (exists: boolean, shown: number, place = '') =>
      experimentRow({ name: 'demo', exists, runs, hasSweep: false, hasClaim: false }, shown, place, context);
    expect(row(true, 2).description).toBe('2 runs · 1 running');
    expect(row(true, 1, 'sub').description).toBe('sub · 1 of 2 runs · 1 running');
    expect(row(true, 2).capabilities).toEqual(['experiment', 'canRun', 'canEdit', 'canStudy']);
    expect(row(false, 2)).toMatchObject({
      description: 'file deleted · 2 runs · 1 running',
      capabilities: ['experiment', 'canStudy'],
    });
    const none = experimentRow(
      { name: 'demo', exists: true, runs: [], hasSweep: true, hasClaim: false },
      0,
      '',
      context,
    );
    expect(none.description).toBe('no runs yet');
    expect(none.capabilities).toContain('canSweep');
  });

  it('list the checkpoints and adapters on disk', async () => {
    const run = entry('finished', { events: [started, evaluated(40, 0.9), evaluated(80, 0.8, false)] });
    for (const name of ['step-000040', 'step-000080', '.step-000090.tmp'])
      mkdirSync(join(run.folder, 'checkpoints', name), { recursive: true });
    mkdirSync(join(run.folder, 'adapter', 'best'), { recursive: true });
    writeFileSync(join(run.folder, 'adapter', 'best', 'adapter_model.safetensors'), new Uint8Array(312_000));
    const made = (name: string, text: string) => {
      mkdirSync(join(run.folder, 'export', name), { recursive: true });
      writeFileSync(join(run.folder, 'export', name, 'export.json'), text);
    };
    made('a', JSON.stringify(exportRecord({ step: 40 })));
    made('b', JSON.stringify(exportRecord({ step: 80, form: 'adapter' })));
    made('torn', '{"program":');
    mkdirSync(join(run.folder, 'export', 'by hand'));
    const artifacts = await readArtifacts(run.folder);
    expect(artifacts.exports.map((e) => e.name)).toEqual(['b', 'a']);
    expect(artifacts).toMatchObject({ checkpoints: [80, 40], adapters: [{ which: 'best', size: 312_000 }] });
    expect(checkpointRow(run, 40, context).description).toBe('90.0% accuracy · best');
    expect(checkpointRow(run, 80, context).description).toBe('80.0% accuracy');
    expect(adapterRow('best', 312_000, context).description).toBe('PEFT files · 312 KB');
    expect(await readArtifacts(join(run.folder, 'none'))).toEqual({
      checkpoints: [],
      adapters: [],
      exports: [],
    });
  });
});

describe('labels', () => {
  it("are a run's name, else its method, rank and id, else its time", () => {
    expect(labelOfId('20250131T123456Z-1a2b3c4d')).toMatch(/^2025-0[12]-\d\d \d\d:34 · 1a2b$/);
    expect(labelOfId('from elsewhere')).toBe('from elsewhere');
    const unnamed = entry('finished', { at: Date.UTC(2025, 0, 31) });
    expect(runLabel(unnamed)).toBe(`AuroRA r2 · ${unnamed.id.slice(17, 21)}`);
    expect(runLabel({ ...unnamed, run: undefined })).toBe(labelOfId(unnamed.id));
    expect(runLabel({ id: '20250131T123456Z-1a2b3c4d', user: { name: 'mine' } })).toBe('mine');
  });

  it('format times, sizes and metrics for people', () => {
    expect([0, 59, 60, 3599, 3600, 86_400 * 2].map((s) => ago(NOW - s * 1000, NOW, 'en'))).toEqual([
      'just now',
      'just now',
      '1 min ago',
      '59 min ago',
      '1 hr ago',
      '2 days ago',
    ]);
    expect([999, 1000, 999_600, 3.2e9].map(bytes)).toEqual(['999 B', '1.0 KB', '1.0 MB', '3.2 GB']);
    expect(formatMetric('matthews', 0.51234)).toBe('0.512');
    expect(formatMetric('loss', NaN)).toBe('NaN');
  });
});
