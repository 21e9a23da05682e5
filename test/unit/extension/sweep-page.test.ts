import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sweepPanel } from '../../../src/extension/panels/sweep/sweep-panel';
import { SweepSession } from '../../../src/extension/panels/sweep/sweep-session';
import { plainValue, settingsOf } from '../../../src/extension/panels/sweep/sweep-facts';
import { Catalog } from '../../../src/extension/runs/catalog';
import type { NewEvent, StopReason } from '../../../src/protocol/events';
import type { PageTrial, SweepToPage } from '../../../src/protocol/panels/sweep';
import { startTrainer } from '../../../src/executors/local/start-trainer';
import { processRecord } from '../../../src/files/processes';
import { Journal } from '../../../src/runs/journal/journal';
import { runPaths } from '../../../src/runs/layout';
import { readSweep, writeSweep } from '../../../src/runs/sweep/record';
import { temporaryFolders } from '../runs/folder';
import { context } from './row-context';
import { evaluated, setStatus, spec, started } from './run-maker';
import { finishedTrial, makeSweep, setSweepStatus, type TrialMade } from './sweep-folder';

const folder = temporaryFolders();
const stop = (step: number, ...reasons: StopReason[]): NewEvent[] =>
  reasons.map((reason) => ({ kind: 'stopped', step, reason }));
const diverged: NewEvent = {
  kind: 'diverged-evaluation',
  step: 40,
  epoch: 1,
  reason: 'non-finite',
  seconds: 1,
};
const failed = (error: string): NewEvent => ({ kind: 'failed', step: 40, error, message: 'Full.' });

/** A session on a real folder, with all that it has posted. */
function follow(trials: readonly TrialMade[], more: Partial<Parameters<typeof makeSweep>[1]> = {}) {
  const file = join(folder(), 'demo.aurora.json');
  const sweep = makeSweep(file, {
    spec: { type: 'list', seed: 0, trials: trials.map((t) => t.settings) },
    varied: ['adapter.rank'],
    trials,
    ...more,
  });
  const catalog = new Catalog();
  catalog.setPlaces([], [dirname(file)]);
  const posted: SweepToPage[] = [];
  let told = () => {};
  const session = new SweepSession({
    post: (message) => (posted.push(structuredClone(message)), told()),
    async read() {
      await catalog.look();
      const found = catalog.experiments().find((e) => e.sweeps.some((s) => s.folder === sweep));
      return found ? { sweep: found.sweeps[0], runs: found.runs } : 'gone';
    },
    context: () => context,
    failed: (e) => {
      throw e;
    },
  });
  /** The next message. */
  const next = async (ask: () => void): Promise<SweepToPage> => {
    const came = new Promise<void>((resolve) => (told = resolve));
    ask();
    await came;
    return posted.at(-1)!;
  };
  return { sweep, session, posted, next };
}

const all = async (trials: readonly TrialMade[], more?: Parameters<typeof follow>[1]) => {
  const { session, next } = follow(trials, more);
  const message = await next(() => session.snapshot());
  if (message.type !== 'sweep') throw new Error(JSON.stringify(message));
  return message;
};
const rank = (value: number) => ({ 'adapter.rank': value });

describe('the trials of the Sweep page', () => {
  it('have the state that their folders say', async () => {
    const { trials, facts } = await all([
      finishedTrial(rank(1), 0.8),
      { settings: rank(2), events: [started, evaluated(40, 0.5)], status: { step: 41 } },
      { settings: rank(3), events: [started, ...stop(40, 'rung')], status: { state: 'stopped', step: 40 } },
      { settings: rank(4), events: [started, ...stop(40, 'rung', 'pruned')], status: { state: 'stopped' } },
      { settings: rank(5), events: [started, ...stop(40, 'requested')], status: { state: 'stopped' } },
      {
        settings: rank(6),
        events: [started, evaluated(40, 0.9), failed('disk')],
        status: { state: 'failed' },
      },
      {
        settings: rank(7),
        events: [started, evaluated(20, 0.9), diverged, failed('diverged')],
        status: { state: 'failed' },
      },
      { settings: rank(8) },
    ]);
    expect(trials.map((t) => [t.number, t.state, t.metric, t.step, t.steps])).toEqual([
      [1, 'finished', 0.8, 120, 120],
      [2, 'running', 0.5, 41, 120],
      [3, 'waiting', undefined, 40, 120],
      [4, 'pruned', undefined, 0, 120],
      [5, 'stopped', undefined, 0, 120],
      [6, 'failed', 0.9, 0, 120],
      [7, 'diverged', undefined, 0, 120],
      [8, 'queued', undefined, 0, 0],
    ]);
    expect(trials[0]).toMatchObject({ loss: expect.closeTo(0.2) as unknown, epochs: 3 });
    expect(trials[0].improved.map(([, value]) => value)).toEqual([expect.closeTo(0.7), 0.8]);
    expect(trials[5].error).toBe('Full.');
    expect(trials[1].can).toContain('canStop');
    expect(facts).toMatchObject({ experiment: 'demo', id: '1a2b', state: 'stopped', canResume: true });
  });

  it('compare by the metric of the sweep, which need not be that of the training', async () => {
    const made = finishedTrial(rank(1), 0.8);
    const { trials } = await all([made], { metric: 'loss' });
    expect(trials[0].metric).toBeCloseTo(0.2);
    expect(trials[0].improved.map(([, value]) => value)).toEqual([expect.closeTo(0.3), expect.closeTo(0.2)]);
  });

  it('have the settings that others change, from the experiment of a run', () => {
    const varied = ['adapter.rank', 'training.seed', 'adapter'];
    const others = [
      { settings: { 'training.seed': 3 }, spec },
      { settings: { 'adapter.rank': 3 }, spec },
    ];
    expect(settingsOf({ 'training.seed': 3 }, varied, spec, [])).toEqual({
      'training.seed': 3,
      'adapter.rank': plainValue(spec, 'adapter.rank'),
    });
    expect(settingsOf({ 'training.seed': 4 }, varied, undefined, others)['adapter.rank']).toBe(
      plainValue(spec, 'adapter.rank'),
    );
    // Its own section may have another rank.
    expect(settingsOf({ adapter: { method: 'lora' } }, varied, undefined, others)).toEqual({
      adapter: { method: 'lora' },
      'training.seed': spec.training.seed,
    });
    expect(plainValue(spec, 'adapter.toString')).toBeUndefined();
  });
});

it.runIf(process.platform !== 'win32')('a sweep whose queue is killed is lost, with the signal', async () => {
  const file = join(folder(), 'demo.aurora.json');
  const trials = [finishedTrial(rank(1), 0.8), { settings: rank(2) }];
  const list = { type: 'list', seed: 0, trials: trials.map((made) => made.settings) } as const;
  const sweep = makeSweep(file, { spec: list, varied: ['adapter.rank'], trials });
  const catalog = new Catalog();
  catalog.setPlaces([], [dirname(file)]);
  const entry = async () => {
    await catalog.look();
    return catalog.experiments()[0].sweeps[0];
  };
  const { pid, ended } = await startTrainer({
    ...{ node: process.execPath, args: ['-e', 'setInterval(() => 0, 9)'], run: sweep },
  });
  setSweepStatus(sweep, { ...(await processRecord(pid)), pid, state: 'running' });
  expect(await entry()).toMatchObject({ state: 'running' });
  expect((await entry()).end).toBeUndefined();
  process.kill(pid, 'SIGKILL');
  expect(await ended).toBe('SIGKILL');
  expect(await entry()).toMatchObject({ state: 'lost', end: { signal: 'SIGKILL' } });
  // Looked at again, nothing has changed.
  expect((await catalog.look()).structure).toBe(false);
});

describe('the Sweep page’s session', () => {
  it('sends everything once, then only what has changed', async () => {
    const { sweep, session, next, posted } = follow([
      finishedTrial(rank(1), 0.8),
      { settings: rank(2), events: [started], status: { step: 1 } },
      { settings: rank(3) },
    ]);
    const first = (await next(() => session.snapshot())) as { trials: PageTrial[] };
    expect(first).toMatchObject({ type: 'sweep', facts: { state: 'stopped' } });
    const run = first.trials[1].run!;
    const journal = Journal.open(runPaths(run).events);
    journal.append(evaluated(40, 0.6));
    journal.close();
    setStatus(run, { step: 40 });
    const changed = (await next(() => session.look())) as { trials: PageTrial[]; facts?: object };
    expect(changed.trials.map((t) => [t.number, t.step, t.metric])).toEqual([[2, 40, 0.6]]);
    expect(changed.facts).toBeUndefined();
    setSweepStatus(sweep, { state: 'finished' });
    expect(await next(() => session.look())).toMatchObject({ facts: { state: 'finished' }, trials: [] });
    // A hidden page is sent nothing.
    session.hide();
    const record = readSweep(sweep)!;
    writeSweep(sweep, { ...record, trials: record.trials.slice(0, 2) });
    session.look();
    expect(posted).toHaveLength(3);
    const again = (await next(() => session.snapshot())) as { trials: PageTrial[] };
    expect(again.trials.map((t) => t.number)).toEqual([1, 2]);
  });

  it('says that the sweep was deleted, and shows it again once it is restored', async () => {
    const { sweep, session, next } = follow([finishedTrial(rank(1), 0.8)]);
    await next(() => session.snapshot());
    const record = readSweep(sweep)!;
    rmSync(sweep, { recursive: true });
    expect(await next(() => session.look())).toMatchObject({ type: 'changes', facts: { state: 'gone' } });
    makeSweep(join(sweep, '../../../..', 'demo.aurora.json'), { ...record, trials: [], varied: [] });
    expect(await next(() => session.look())).toMatchObject({ type: 'sweep', facts: { state: 'stopped' } });
  });

  it('checks messages and saved states', () => {
    const { parse, parseOpen } = sweepPanel(() => expect.unreachable());
    expect(parseOpen({ sweep: '/w/.aurora/sweeps/e/1' })).toEqual({ sweep: '/w/.aurora/sweeps/e/1' });
    expect([undefined, {}, { sweep: 'relative' }, { sweep: 3 }].map(parseOpen)).toEqual(
      Array(4).fill(undefined),
    );
    const saved = { type: 'saveChart', chart: 'heat-map', format: 'png', data: 'a' };
    expect(parse(saved)).toEqual(saved);
    const wrong = [
      null,
      { type: 'action', action: 'format' },
      { type: 'open' },
      { type: 'compare', runs: ['/a'] },
      { ...saved, chart: '../x' },
      { ...saved, format: 'sh' },
      { ...saved, data: '' },
    ];
    expect(wrong.map(parse)).toEqual(wrong.map(() => undefined));
  });
});
