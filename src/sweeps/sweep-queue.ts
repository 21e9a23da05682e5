import { rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError, errorRecord, type KnownError } from '../base/errors';
import type { Executor, TrialTask } from '../executors/executor';
import type { Experiment } from '../experiment/experiment';
import { type OwnerRecord, requireOwned, stillOwned } from '../files/fence';
import { claim } from '../files/owner';
import { removeAbandoned } from '../files/temporary';
import type { StopReason } from '../protocol/events';
import { Journal } from '../runs/journal/journal';
import { runPaths } from '../runs/layout';
import { ownerByStatus, ownerOfRun, readStatus, writeStatus } from '../runs/status';
import { takeCancelled, takeResumed } from '../runs/sweep/cancel';
import { isBusy, type TrialView } from '../runs/sweep/look';
import { sweepPaths, type SweepRecord, type SweepRoom, writeSweep } from '../runs/sweep/record';
import type { TrialNames } from '../runs/sweep/trial-names';
import { Pulse } from '../training/process/pulse';
import { unlessRefused } from '../training/process/run-failure';
import { completeUnowned } from '../training/run/complete';
import { Attempts } from './attempts';
import { toDecide } from './ended';
import { decide, decideRates, type Verdict } from './halving';

/** A trainer asked to stop ends within two minutes, even if something hangs; after this the queue stops waiting. */
const STOP_TIMEOUT_MS = 180_000;

export interface QueueOptions {
  /** The sweep's folder, which this process owns. */
  folder: string;
  /**
   * Builds the record, which may take a while: new trials are checked, and missing measurements are made. Undefined if
   * it was stopped.
   */
  prepare(stopped: () => boolean): Promise<(SweepRecord & { room: SweepRoom }) | undefined>;
  /** Each planned trial's experiment, by id. */
  specs: ReadonlyMap<string, Experiment>;
  /** Makes the executor for the trials of this record. `save` writes the record with all its trials to disk. */
  executor(record: SweepRecord & { room: SweepRoom }, save: () => void): Executor;
  names: TrialNames;
  pulseWorker: string;
  /** Stop if the lease of the sweep's folder is not renewed for this many milliseconds. */
  lease?: number;
  retryFailed: boolean;
  /** True to start and resume trials also on files that have changed. */
  acceptInputs: boolean;
  /** Milliseconds after which the queue stops waiting for trials that were asked to stop. */
  stopTimeout?: number;
  /** Submits the tasks that are ready, and follows nothing. */
  once?: boolean;
  /** The signal of a terminal: trials on a cluster are left to it. */
  interrupted: () => boolean;
  /** A request to stop that was left elsewhere than in this folder: to the claim that the sweep is a part of. */
  requested?: () => StopReason | undefined;
  /** No more trials are started, while others are still being trained. */
  refused(error: AuroraError): void;
  /** Called after every check of the trials. */
  looked(trials: readonly TrialView[], verdicts: ReadonlyMap<string, Verdict>): void;
}

export interface SweepOutcome {
  /**
   * Undefined if nothing is left to do; `owned` if only other machines can continue; `detached` if trials are left to a
   * cluster, and nobody follows them.
   */
  stopped?: StopReason | 'owned' | 'detached';
  trials: TrialView[];
  verdicts: ReadonlyMap<string, Verdict>;
  /** Skipped trials and their owners, by trial id: processes that this machine cannot see. */
  elsewhere: ReadonlyMap<string, OwnerRecord>;
}

/**
 * Runs a sweep's trials, as many at a time as fit. All state is on disk: whenever it is killed, with or without
 * trainers, another queue can continue; it waits for living trainers.
 */
export async function runQueue(options: QueueOptions): Promise<SweepOutcome> {
  const { folder, pulseWorker, lease, stopTimeout = STOP_TIMEOUT_MS } = options;
  const pulse = Pulse.start(folder, pulseWorker, { lease, stopTimeout });
  let record: Awaited<ReturnType<QueueOptions['prepare']>>;
  /** Call before the final status is written, so that its readers also find the reason. */
  const leave = (ended: KnownError | undefined) => {
    if (record && ended) writeSweep(folder, { ...record, ended });
  };
  try {
    removeAbandoned(folder);
    const stopped = () => (options.interrupted() ? 'requested' : requestIn(options, pulse));
    record = await options.prepare(() => stopped() !== undefined);
    if (record) writeSweep(folder, record);
    const outcome: SweepOutcome = record
      ? await work(options, record, pulse)
      : { stopped: stopped() ?? 'requested', trials: [], verdicts: new Map(), elsewhere: new Map() };
    // Large, and only useful to further trials, which recompute it.
    if (!outcome.stopped && stillOwned(folder))
      rmSync(sweepPaths(folder).frozen, { recursive: true, force: true });
    if (!outcome.stopped || outcome.stopped === 'owned')
      leave(record && toDecide(record, outcome, options.names));
    await pulse.end(outcome.stopped ? 'stopped' : 'finished');
    return outcome;
  } catch (e) {
    // Report the first error.
    try {
      if (e instanceof AuroraError) leave(errorRecord(e));
    } catch {
      // The disk or the owner has changed as well.
    }
    await pulse.end('failed').catch(() => undefined);
    throw e;
  }
}

const requestIn = ({ requested }: QueueOptions, pulse: Pulse): StopReason | undefined =>
  pulse.stopRequested() ?? requested?.();

async function work(
  options: QueueOptions,
  record: SweepRecord & { room: SweepRoom },
  pulse: Pulse,
): Promise<SweepOutcome> {
  const { folder, specs, acceptInputs, interrupted } = options;
  const { spec } = record;
  const executor = options.executor(record, () => writeSweep(folder, record));
  const attempts = new Attempts(options.retryFailed, acceptInputs);
  const completed = new Set<string>();
  const elsewhere = new Map<string, OwnerRecord>();
  /** The reason why no more trials are started: their files have changed. Running trials have already read theirs. */
  let refused: AuroraError | undefined;
  for (;;) {
    requireOwned(folder);
    const trials = (await executor.follow(record.trials)).map((t) => attempts.seen(t));
    const whole = await executor.collect(trials.filter(hasEnded));
    for (const { unreported, folder } of whole ? trials : [])
      if (unreported && !completed.has(folder!)) {
        completed.add(folder!);
        await completeUnowned(folder!);
      }
    const planned = trials.filter((t) => t.record.planned);
    const verdicts = spec.learningRateSearch
      ? decideRates(planned, spec.learningRateSearch, record.metric)
      : decide(planned, spec.pruning, record.metric);
    const is = (t: TrialView, kind: Verdict['kind']) => verdicts.get(t.record.id)?.kind === kind;
    if (passOver(planned, verdicts)) writeSweep(folder, record);
    const over = planned.filter((t) => is(t, 'over') || is(t, 'prune'));
    pulse.progress(over.length, planned.length);
    options.looked(trials, verdicts);
    const busy = trials.filter(isBusy);
    const end = (stopped?: SweepOutcome['stopped']): SweepOutcome => ({
      stopped,
      ...{ trials, verdicts, elsewhere },
    });
    const stopped = interrupted() ? 'interrupted' : requestIn(options, pulse);
    if (stopped && stopped !== 'requested' && executor.outlives)
      return end(busy.length > 0 ? 'detached' : 'requested');
    if (stopped) {
      if (busy.length === 0) return end(stopped === 'interrupted' ? 'requested' : stopped);
      await executor.cancel(busy);
    } else {
      await cancelSome(trials, verdicts, options, executor, attempts);
      const losers = planned.filter(isToPrune).filter((t) => is(t, 'prune') && !isBusy(t));
      const ready = planned.filter(
        (t) => is(t, 'go') && !refused && !isBusy(t) && !elsewhere.has(t.record.id) && attempts.mayLaunch(t),
      );
      if (refused && busy.length === 0) throw refused;
      if (ready.length === 0 && busy.length === 0 && whole) {
        // The files come first, completely: the lines written here after that are not replaced by the cluster's.
        const isHere = await executor.collect(losers);
        if (isHere && (await pruneSome(losers))) continue;
        // Trials that were stopped individually are still to be done.
        if (isHere && over.length < planned.length) return end(elsewhere.size > 0 ? 'owned' : 'requested');
        if (isHere) {
          await executor.tidy?.();
          return end();
        }
      }
      const tasks = ready.map(({ record }): TrialTask => {
        const { until } = verdicts.get(record.id) as Extract<Verdict, { kind: 'go' }>;
        return { record, spec: specs.get(record.id)!, until };
      });
      try {
        const submitted = tasks.length > 0 ? await executor.submit(tasks, trials) : undefined;
        for (const [id, owner] of submitted?.elsewhere ?? []) elsewhere.set(id, owner);
        const begun = new Set(submitted?.trials);
        for (const trial of ready) if (begun.has(trial.record.id)) attempts.launched(trial);
        // Again at once: another one may fit.
        if (begun.size > 0) continue;
        // Only now: thousands of trials lose the first comparison at once, and nobody should wait for that.
        if (await executor.collect(losers)) await pruneSome(losers, PRUNE_MS);
        if (options.once) return end('detached');
      } catch (e) {
        if (!(e instanceof AuroraError) || e.kind !== 'inputs') throw e;
        refused = e;
        if (busy.length > 0) options.refused(e);
        continue;
      }
    }
    await pause(executor.interval, () => interrupted() || requestIn(options, pulse) !== undefined);
  }
}

/** Between two checks for a request to stop, in milliseconds: a cluster is not asked more often than it must be. */
const REQUEST_MS = 250;

async function pause(ms: number, isOver: () => boolean): Promise<void> {
  const until = performance.now() + ms;
  const wasOver = isOver();
  for (let left = ms; left > 0 && isOver() === wasOver; left = until - performance.now())
    await wait(Math.min(left, REQUEST_MS));
}

/** Nothing more happens to its run, as far as this sweep knows. */
const hasEnded = (t: TrialView): boolean =>
  t.state === 'finished' || t.state === 'failed' || (t.state === 'stopped' && t.reason === 'requested');

/**
 * Cancels the trials that the user asks for, and takes trials out of a cluster's queue that are not to be trained any
 * more.
 */
async function cancelSome(
  trials: readonly TrialView[],
  verdicts: ReadonlyMap<string, Verdict>,
  { folder }: QueueOptions,
  executor: Executor,
  attempts: Attempts,
): Promise<void> {
  const [asked, again] = [new Set(takeCancelled(folder)), new Set(takeResumed(folder))];
  for (const t of trials) {
    if (asked.has(t.record.number)) attempts.cancel(t);
    if (again.has(t.record.number)) attempts.resume(t);
  }
  const isUnwanted = (t: TrialView) =>
    t.state === 'queued' && (!t.record.planned || verdicts.get(t.record.id)?.kind === 'prune');
  const some = trials.filter((t) => isBusy(t) && (attempts.isCancelled(t) || isUnwanted(t)));
  if (some.length > 0) await executor.cancel(some);
}

/**
 * Records which trials not to start; with more rates in the section, another one may win.
 * @returns true if anything changed
 */
function passOver(trials: readonly TrialView[], verdicts: ReadonlyMap<string, Verdict>): boolean {
  const changed = trials.filter((t) => {
    const isLost = t.folder === undefined && verdicts.get(t.record.id)!.kind === 'prune';
    return isLost !== (t.record.passedOver ?? false);
  });
  for (const { record } of changed)
    if (record.passedOver) delete record.passedOver;
    else record.passedOver = true;
  return changed.length > 0;
}

/** The part of a look, in milliseconds: pruning a trial waits for the disk a few times. */
const PRUNE_MS = 2000;

type Begun = TrialView & { folder: string };

/**
 * @param ms the rest is left to the next look
 * @returns true if any trial was pruned
 */
async function pruneSome(trials: readonly Begun[], ms = Infinity): Promise<boolean> {
  const until = performance.now() + ms;
  let some = false;
  for (const trial of trials) {
    if (performance.now() > until) break;
    await unlessRefused(async () => {
      some = (await prune(trial)) || some;
    });
  }
  return some;
}

const isToPrune = (t: TrialView): t is Begun => t.folder !== undefined && t.reason !== 'pruned';

/**
 * The trial's own journal says why it ends here; without that line it is not restarted either.
 *
 * @returns true if that line is new
 */
async function prune({ folder, state, step }: Begun): Promise<boolean> {
  // Somebody trains it by hand, or elsewhere: it is pruned once that has ended.
  if (await ownerOfRun(folder)) return false;
  const got = await claim(folder, { earlier: ownerByStatus(folder) });
  if (!('owner' in got)) return false;
  try {
    if (state === 'lost') writeStatus(folder, { ...readStatus(folder)!, state: 'stopped' });
    const journal = Journal.open(runPaths(folder).events);
    journal.append({ kind: 'stopped', step, reason: 'pruned' });
    journal.close();
    return true;
  } finally {
    got.owner.release();
  }
}
