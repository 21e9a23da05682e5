import { setTimeout as wait } from 'node:timers/promises';
import type { OwnerRecord } from '../../files/fence';
import type { RunStatus } from '../../protocol/events';
import type { UnexpectedEnd } from '../../protocol/run-files/unexpected-end';
import { unexpectedEnd } from '../../runs/ended/unexpected';
import { ownerOfRun, readStatus } from '../../runs/status';
import { isBusy, type TrialView } from '../../runs/sweep/look';
import { runOf, type SweepRoom, type TrialRecord } from '../../runs/sweep/record';
import { requestIn } from '../cluster/request';
import type { Executor, Submitted, SweepTrials, TrialTask } from '../executor';
import { gpusFor, nextGpu } from './devices';
import { type LaunchedTrial, launchTrial } from './launch';

/** Interval between checks of the trials' folders. */
const LOOK_MS = 250;

/** The system reports the end of a child at once, unless this process is suspended. */
const REPORT_MS = 1000;

export interface LocalOptions {
  /** This program, dist/cli.cjs. */
  program: string;
  /** Free memory in bytes; undefined if the system does not report it. */
  available(this: void): number | undefined;
  /** True to take over trials from this owner, which this machine cannot see. */
  takenOver(this: void, owner: OwnerRecord): boolean;
}

/** Trains trials on this machine, as many at a time as cores and memory allow, or one on each NVIDIA GPU. */
export class LocalExecutor implements Executor {
  readonly interval = LOOK_MS;
  readonly outlives = false;
  /** The GPUs of this machine, once a trial needs to know. */
  private gpus: string[] | undefined;
  /** The end of the last trainer that this process has started for a run. */
  private readonly trainers = new Map<string, LaunchedTrial['ended']>();
  /** The reasons why trials were lost, by id and the start of the trainer. */
  private readonly ends = new Map<string, UnexpectedEnd>();

  constructor(
    private readonly sweep: SweepTrials,
    private readonly machine: LocalOptions,
  ) {}

  follow(trials: readonly TrialRecord[]): Promise<TrialView[]> {
    const { runs, looker } = this.sweep;
    return Promise.all(trials.map((t) => this.explained(looker.look(t, runOf(t, runs)))));
  }

  /** A lost trial with the known facts about the reason, determined once for each of its trainers. */
  private async explained(trial: TrialView): Promise<TrialView> {
    const { record, folder, state } = trial;
    if (state !== 'lost' || folder === undefined) return trial;
    const key = `${record.id} ${record.launched?.at}`;
    const known = this.ends.get(key);
    if (known) return { ...trial, end: known };
    // The system knows that it is gone before this process does.
    await Promise.race([this.trainers.get(folder), wait(REPORT_MS)]);
    const end = await unexpectedEnd(folder, statusIn(folder));
    this.ends.set(key, end);
    return { ...trial, end };
  }

  /** Starts one: the next look shows whether another one fits. */
  async submit(tasks: readonly TrialTask[], trials: readonly TrialView[]): Promise<Submitted> {
    const elsewhere = new Map<string, OwnerRecord>();
    const { room } = this.sweep;
    if (!hasRoom(trials, room, this.machine.available)) return { trials: [], elsewhere };
    const next = await this.firstFree(tasks, elsewhere);
    if (!next) return { trials: [], elsewhere };
    this.gpus ??= await gpusFor(room.device);
    const launched = await launchTrial(this.machine.program, this.sweep, next.task, {
      takeOver: next.takeOver,
      gpu: nextGpu(this.gpus, trials),
    });
    this.trainers.set(launched.run, launched.ended);
    return { trials: [next.task.record.id], elsewhere };
  }

  /** Repeated at every look: a trainer that has just started clears earlier requests. */
  cancel(trials: readonly TrialView[]): Promise<void> {
    for (const { folder } of trials) requestIn(folder!, 'stop');
    return Promise.resolve();
  }

  /** They are here. */
  collect(): Promise<boolean> {
    return Promise.resolve(true);
  }

  /**
   * The first trial whose run has no owner. A trial owned by a process that this machine cannot see is skipped; one owned
   * by a local process is started when that has ended.
   */
  private async firstFree(
    tasks: readonly TrialTask[],
    elsewhere: Map<string, OwnerRecord>,
  ): Promise<{ task: TrialTask; takeOver: boolean } | undefined> {
    for (const task of tasks) {
      const run = runOf(task.record, this.sweep.runs);
      const held = run === undefined ? undefined : await ownerOfRun(run);
      if (!held) return { task, takeOver: false };
      if (held.as === 'unseen' && this.machine.takenOver(held.heldBy)) return { task, takeOver: true };
      if (held.as === 'unseen') elsewhere.set(task.record.id, held.heldBy);
    }
    return undefined;
  }
}

function statusIn(run: string): RunStatus | undefined {
  try {
    return readStatus(run);
  } catch {
    return undefined;
  }
}

/**
 * True if one more trial may start now, beside the running ones. The first one may always start: it reports an error if
 * it does not fit.
 *
 * @param available free bytes; undefined if the system does not report them
 */
function hasRoom(
  trials: readonly TrialView[],
  { parallel, memory }: SweepRoom,
  available: () => number | undefined,
): boolean {
  const busy = trials.filter(isBusy);
  if (busy.length === 0) return true;
  const peak = Math.max(memory ?? 0, ...trials.map((t) => t.peakMemory ?? 0));
  const fresh = busy.filter((t) => t.state === 'starting' || t.step === 0);
  if (busy.length >= parallel) return false;
  const free = peak > 0 ? available() : undefined;
  // The memory of running trials is no longer free, but a trial before its first step has yet to take it.
  return free === undefined || free >= (fresh.length + 1) * peak;
}
