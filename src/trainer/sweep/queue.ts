import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { writeAtomic } from '../../files/atomic';
import { requireOwned, stillOwned } from '../../files/fence';
import { claim } from '../../files/owner';
import { Journal } from '../../runs/journal';
import { runPaths } from '../../runs/layout';
import { readStatus, writeStatus } from '../../runs/status';
import { isBusy, type TrialView } from '../../runs/sweep/look';
import { TrialLooker } from '../../runs/sweep/looker';
import {
  sweepPaths,
  writeSweep,
  type SweepRecord,
  type SweepRoom,
  type TrialRecord,
} from '../../runs/sweep/record';
import type { StopReason } from '../../shared/events';
import type { Experiment } from '../../shared/experiment';
import { completeUnowned } from '../complete';
import { Pulse } from '../pulse';
import { Attempts } from './attempts';
import { decide, type Verdict } from './halving';
import { launchTrial, type Launcher } from './launch';
import { decideRates } from './rate-search';
import { hasMemory } from './room';

/** How often the trials' folders are looked at. */
const LOOK_MS = 250;
/** Trainers that are asked to stop end themselves within two minutes, whatever hangs; then nobody waits for them. */
const STOP_TIMEOUT_MS = 180_000;

export interface QueueOptions {
  /** The sweep's folder, which this process owns. */
  folder: string;
  /** Makes the record, which may take a while, since what is missing in it is measured. */
  prepare(): Promise<SweepRecord & { room: SweepRoom }>;
  /** To each trial of the plan its experiment, by id. */
  specs: ReadonlyMap<string, Experiment>;
  /** Where runs of the experiment lie. */
  runs: string;
  program: string;
  pulseWorker: string;
  fallBack: boolean;
  /** Stop when nobody renews the lease of the sweep's folder for so many milliseconds. */
  lease?: number;
  retryFailed: boolean;
  /** Trials are resumed on files that have changed, too. */
  acceptInputs: boolean;
  interrupted: () => boolean;
  /** Told after every look at the trials. */
  looked(trials: readonly TrialView[], verdicts: ReadonlyMap<string, Verdict>): void;
}

export interface SweepOutcome {
  /** Undefined where nothing is left to do. */
  stopped?: StopReason;
  trials: TrialView[];
  verdicts: ReadonlyMap<string, Verdict>;
}

/**
 * Runs the trials of a sweep, as many at a time as there is room for. It keeps nothing in memory that is not on the
 * disk: whenever it is killed, with or without trainers, another goes on; a trainer that lives is waited for.
 */
export async function runQueue(options: QueueOptions): Promise<SweepOutcome> {
  const { folder, pulseWorker, lease } = options;
  const pulse = Pulse.start(folder, pulseWorker, { lease, stopTimeout: STOP_TIMEOUT_MS });
  try {
    const record = await options.prepare();
    writeSweep(folder, record);
    const outcome = await work(options, record, pulse);
    // Large, and of no use to anything but more trials, which compute it again.
    if (!outcome.stopped && stillOwned(folder))
      rmSync(sweepPaths(folder).frozen, { recursive: true, force: true });
    await pulse.end(outcome.stopped ? 'stopped' : 'finished');
    return outcome;
  } catch (e) {
    await pulse.end('failed');
    throw e;
  }
}

async function work(
  options: QueueOptions,
  record: SweepRecord & { room: SweepRoom },
  pulse: Pulse,
): Promise<SweepOutcome> {
  const { folder, specs, runs, program, fallBack, acceptInputs, interrupted } = options;
  const { room, spec } = record;
  const launcher: Launcher = {
    program,
    sweep: folder.split(/[\\/]/).at(-1)!,
    frozen: sweepPaths(folder).frozen,
    runs,
    room,
    fallBack,
    acceptInputs,
    save: () => writeSweep(folder, record),
  };
  const attempts = new Attempts(options.retryFailed, acceptInputs);
  const looker = new TrialLooker();
  const completed = new Set<string>();
  for (;;) {
    requireOwned(folder);
    const trials = record.trials.map((t) => attempts.seen(looker.look(t, runOf(t, runs))));
    for (const { state, folder } of trials)
      if (state === 'finished' && !completed.has(folder!)) {
        completed.add(folder!);
        await completeUnowned(folder!);
      }
    const planned = trials.filter((t) => t.record.planned);
    const verdicts = spec.learningRateSearch
      ? decideRates(planned, spec.learningRateSearch, record.metric)
      : decide(planned, spec.pruning, record.metric);
    if (passOver(planned, verdicts)) writeSweep(folder, record);
    const over = planned.filter((t) => ['over', 'prune'].includes(verdicts.get(t.record.id)!.kind));
    pulse.progress(over.length, planned.length);
    options.looked(trials, verdicts);
    const busy = trials.filter(isBusy);
    const stopped = interrupted() ? 'requested' : pulse.stopRequested();
    if (stopped) {
      if (busy.length === 0) return { stopped, trials, verdicts };
      for (const { folder } of busy) askToStop(folder!);
    } else {
      for (const t of planned) if (verdicts.get(t.record.id)!.kind === 'prune' && !isBusy(t)) await prune(t);
      const next = planned.find(
        (t) => verdicts.get(t.record.id)!.kind === 'go' && !isBusy(t) && attempts.mayLaunch(t),
      );
      if (!next && busy.length === 0) {
        // What somebody stopped by itself is still to be done.
        const all = over.length === planned.length;
        return { ...(!all && { stopped: 'requested' as const }), trials, verdicts };
      }
      if (next && busy.length < room.parallel && hasRoom(trials, room)) {
        attempts.launched(next);
        const verdict = verdicts.get(next.record.id) as Extract<Verdict, { kind: 'go' }>;
        await launchTrial(launcher, next.record, specs.get(next.record.id)!, verdict.until);
        // At once again: there may be room for another.
        continue;
      }
    }
    await wait(LOOK_MS);
  }
}

const runOf = ({ run }: TrialRecord, runs: string): string | undefined =>
  run === undefined ? undefined : join(runs, run);

/** One trial always has: it says itself where it does not fit. */
function hasRoom(trials: readonly TrialView[], { memory }: SweepRoom): boolean {
  const busy = trials.filter(isBusy);
  const peak = Math.max(memory ?? 0, ...trials.map((t) => t.peakMemory ?? 0));
  const fresh = busy.filter((t) => t.state === 'starting' || t.step === 0);
  return busy.length === 0 || hasMemory(peak || undefined, fresh.length);
}

/** Again at every look: a trainer that has just begun clears away what was asked before. */
function askToStop(run: string): void {
  try {
    writeAtomic(join(runPaths(run).control, 'stop'), '', run);
  } catch (e) {
    // It cleared the folder at this very moment.
    if (((e as Error).cause as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') throw e;
  }
}

/** Notes what is not to be begun; with more rates in the section another one may win. @returns whether that is news */
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

/** The trial's own journal says why it goes no further. */
async function prune({ folder, state, reason, step }: TrialView): Promise<void> {
  if (folder === undefined || reason === 'pruned') return;
  const got = await claim(folder);
  // Somebody trains it by hand: it is pruned once that has ended.
  if (!('owner' in got)) return;
  try {
    if (state === 'lost') writeStatus(folder, { ...readStatus(folder)!, state: 'stopped' });
    const journal = Journal.open(runPaths(folder).events);
    journal.append({ kind: 'stopped', step, reason: 'pruned' });
    journal.close();
  } finally {
    got.owner.release();
  }
}
