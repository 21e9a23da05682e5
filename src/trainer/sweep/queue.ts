import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { writeAtomic } from '../../files/atomic';
import { requireOwned, stillOwned, type OwnerRecord } from '../../files/fence';
import { claim, heldBy } from '../../files/owner';
import { removeAbandoned } from '../../files/temporary';
import { Journal } from '../../runs/journal/journal';
import { runPaths } from '../../runs/layout';
import { ownerByStatus, readStatus, writeStatus } from '../../runs/status';
import { isBusy, type TrialView } from '../../runs/sweep/look';
import { TrialLooker } from '../../runs/sweep/looker';
import {
  sweepPaths,
  writeSweep,
  type SweepEnd,
  type SweepRecord,
  type SweepRoom,
  type TrialRecord,
} from '../../runs/sweep/record';
import { AuroraError } from '../../base/errors';
import type { StopReason } from '../../protocol/events';
import type { Experiment } from '../../experiment/experiment';
import { completeUnowned } from '../run/complete';
import { unlessRefused } from '../process/failure';
import { Pulse } from '../process/pulse';
import { Attempts } from './attempts';
import { decide, type Verdict } from './halving';
import { trialInputs } from './inputs';
import { toDecide } from './ended';
import { launchTrial, type Launcher } from './launch';
import { decideRates } from './rate-search';
import { hasMemory } from './room';

/** Interval between checks of the trials' folders. */
const LOOK_MS = 250;
/** A trainer asked to stop ends within two minutes, even if something hangs; after this the queue stops waiting. */
const STOP_TIMEOUT_MS = 180_000;

export interface QueueOptions {
  /** The sweep's folder, which this process owns. */
  folder: string;
  /**
   * Builds the record, which may take a while: new trials are checked, and missing measurements are made. Undefined if
   * stopped meanwhile.
   */
  prepare(stopped: () => boolean): Promise<(SweepRecord & { room: SweepRoom }) | undefined>;
  /** Each planned trial's experiment, by id. */
  specs: ReadonlyMap<string, Experiment>;
  /** Where runs of the experiment are. */
  runs: string;
  program: string;
  pulseWorker: string;
  fallBack: boolean;
  /** Stop if the lease of the sweep's folder is not renewed for this many milliseconds. */
  lease?: number;
  retryFailed: boolean;
  /** Also start and resume trials on files that have changed. */
  acceptInputs: boolean;
  /** Whether to take over trials from this owner, which this machine cannot see. */
  takenOver(owner: OwnerRecord): boolean;
  interrupted: () => boolean;
  /** No more trials are started, while others are still being trained. */
  refused(error: AuroraError): void;
  /** Called after every check of the trials. */
  looked(trials: readonly TrialView[], verdicts: ReadonlyMap<string, Verdict>): void;
}

export interface SweepOutcome {
  /** Undefined if nothing is left to do; `owned` if only other machines can continue. */
  stopped?: StopReason | 'owned';
  trials: TrialView[];
  verdicts: ReadonlyMap<string, Verdict>;
  /** Skipped trials and their owners, by trial id: processes that this machine cannot see. */
  elsewhere: ReadonlyMap<string, OwnerRecord>;
}

/**
 * Runs a sweep's trials, as many at a time as there is room for. All state is on disk: whenever it is killed, with or
 * without trainers, another queue can continue; it waits for living trainers.
 */
export async function runQueue(options: QueueOptions): Promise<SweepOutcome> {
  const { folder, pulseWorker, lease } = options;
  const pulse = Pulse.start(folder, pulseWorker, { lease, stopTimeout: STOP_TIMEOUT_MS });
  let record: Awaited<ReturnType<QueueOptions['prepare']>>;
  /** Call before the final status is written, so that its readers also find the reason. */
  const leave = (ended: SweepEnd | undefined) => {
    if (record && ended) writeSweep(folder, { ...record, ended });
  };
  try {
    removeAbandoned(folder);
    const stopped = () => (options.interrupted() ? 'requested' : pulse.stopRequested());
    record = await options.prepare(() => stopped() !== undefined);
    if (record) writeSweep(folder, record);
    const outcome: SweepOutcome = record
      ? await work(options, record, pulse)
      : { stopped: stopped() ?? 'requested', trials: [], verdicts: new Map(), elsewhere: new Map() };
    // Large, and only useful to further trials, which recompute it.
    if (!outcome.stopped && stillOwned(folder))
      rmSync(sweepPaths(folder).frozen, { recursive: true, force: true });
    if (!outcome.stopped || outcome.stopped === 'owned') leave(record && toDecide(record, outcome));
    await pulse.end(outcome.stopped ? 'stopped' : 'finished');
    return outcome;
  } catch (e) {
    // Report the first error.
    try {
      if (e instanceof AuroraError && e.kind === 'inputs') leave({ error: 'inputs', message: e.message });
    } catch {
      // The disk or the owner has changed as well.
    }
    await pulse.end('failed').catch(() => undefined);
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
    inputs: (trial, spec) => trialInputs(record, trial, spec, { runs, accept: acceptInputs }),
    save: () => writeSweep(folder, record),
  };
  const attempts = new Attempts(options.retryFailed, acceptInputs);
  const looker = new TrialLooker();
  const completed = new Set<string>();
  const elsewhere = new Map<string, OwnerRecord>();
  /** Why no more trials are started: their files have changed. Running trials have already read theirs. */
  let refused: AuroraError | undefined;
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
      if (busy.length === 0) return { stopped, trials, verdicts, elsewhere };
      for (const { folder } of busy) askToStop(folder!);
    } else {
      for (const t of planned)
        if (verdicts.get(t.record.id)!.kind === 'prune' && !isBusy(t)) await unlessRefused(() => prune(t));
      const ready = planned.filter(
        (t) =>
          verdicts.get(t.record.id)!.kind === 'go' &&
          !refused &&
          !isBusy(t) &&
          !elsewhere.has(t.record.id) &&
          attempts.mayLaunch(t),
      );
      if (refused && busy.length === 0) throw refused;
      if (ready.length === 0 && busy.length === 0) {
        // Trials that were stopped individually are still to be done.
        const all = over.length === planned.length;
        const stopped = elsewhere.size > 0 ? ('owned' as const) : ('requested' as const);
        return { ...(!all && { stopped }), trials, verdicts, elsewhere };
      }
      const mayBegin = ready.length > 0 && busy.length < room.parallel && hasRoom(trials, room);
      const next = mayBegin ? await firstFree(ready, options, elsewhere) : undefined;
      if (next) {
        attempts.launched(next.trial);
        const verdict = verdicts.get(next.trial.record.id) as Extract<Verdict, { kind: 'go' }>;
        try {
          await launchTrial(launcher, next.trial.record, specs.get(next.trial.record.id)!, {
            until: verdict.until,
            takeOver: next.takeOver,
          });
        } catch (e) {
          if (!(e instanceof AuroraError) || e.kind !== 'inputs') throw e;
          refused = e;
          if (busy.length > 0) options.refused(e);
        }
        // Again at once: there may be room for another.
        continue;
      }
    }
    await wait(LOOK_MS);
  }
}

const runOf = ({ run }: TrialRecord, runs: string): string | undefined =>
  run === undefined ? undefined : join(runs, run);

/**
 * The first trial whose run has no owner. A trial owned by a process that this machine cannot see is skipped and
 * recorded; one owned by a local process is started when that has ended.
 */
async function firstFree(
  ready: readonly TrialView[],
  { runs, takenOver }: Pick<QueueOptions, 'runs' | 'takenOver'>,
  elsewhere: Map<string, OwnerRecord>,
): Promise<{ trial: TrialView; takeOver: boolean } | undefined> {
  for (const trial of ready) {
    const held = await ownerOf(runOf(trial.record, runs));
    if (!held) return { trial, takeOver: false };
    if (held.as === 'unseen' && takenOver(held.heldBy)) return { trial, takeOver: true };
    if (held.as === 'unseen') elsewhere.set(trial.record.id, held.heldBy);
  }
  return undefined;
}

/** Also undefined if a run is damaged: its trainer reports how. */
const ownerOf = async (run: string | undefined) => {
  try {
    return run === undefined ? undefined : await heldBy(run, ownerByStatus(run));
  } catch {
    return undefined;
  }
};

/** There is always room for one trial: it reports itself if it does not fit. */
function hasRoom(trials: readonly TrialView[], { memory }: SweepRoom): boolean {
  const busy = trials.filter(isBusy);
  const peak = Math.max(memory ?? 0, ...trials.map((t) => t.peakMemory ?? 0));
  const fresh = busy.filter((t) => t.state === 'starting' || t.step === 0);
  return busy.length === 0 || hasMemory(peak || undefined, fresh.length);
}

/** Repeated at every check: a trainer that has just started clears earlier requests. */
function askToStop(run: string): void {
  try {
    writeAtomic(join(runPaths(run).control, 'stop'), '', run);
  } catch (e) {
    // It was clearing the folder at this moment.
    if (((e as Error).cause as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') throw e;
  }
}

/**
 * Records which trials not to start; with more rates in the section, another one may win.
 * @returns whether anything changed
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

/** The trial's own journal says why it ends here; without that line it is not restarted either. */
async function prune({ folder, state, reason, step }: TrialView): Promise<void> {
  if (folder === undefined || reason === 'pruned') return;
  // Somebody trains it by hand, or elsewhere: it is pruned once that has ended.
  if (await ownerOf(folder)) return;
  const got = await claim(folder, { earlier: ownerByStatus(folder) });
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
