import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Cluster, Sending } from '../executors/cluster/cluster';
import { ClusterExecutor } from '../executors/cluster/cluster-executor';
import type { Executor, SweepTrials } from '../executors/executor';
import { gpusFor } from '../executors/local/devices';
import { LocalExecutor } from '../executors/local/local-executor';
import type { OwnerRecord } from '../files/fence';
import type { Sweep } from '../runs/experiment/sweep-trials';
import { experimentRuns } from '../runs/layout';
import { isBusy, TrialLooker, type TrialView } from '../runs/sweep/look';
import {
  readSweep,
  runOf,
  type SweepRecord,
  type SweepRoom,
  type TrialRecord,
  writeSweep,
} from '../runs/sweep/record';
import { TrialNames } from '../runs/sweep/trial-names';
import type { StopReason } from '../protocol/events';
import { availableMemory } from '../training/micro-batch/available';
import { LEASE_MS } from '../training/process/pulse';
import { type CheckOptions, checkSweep } from './check-trials';
import { bringCheckpoints, endedThere } from './checkpoints';
import type { Verdict } from './halving';
import { moveSweep } from './move';
import { prepareSweep } from './prepare-sweep';
import { type Measured, roomNow } from './room';
import { refuseChangedInputs, trialInputs } from './sweep-inputs';
import { runQueue, type SweepOutcome } from './sweep-queue';
import { beganAt, leftBy, type SweepOptions, type SweepRequest, type Where, whereOf } from './where';

/** A record whose trials are known to fit. */
export type PlannedSweep = SweepRecord & { room: SweepRoom };

/** Gets the progress of a sweep. */
export interface SweepListener {
  /** The trials are checked; those that began before are as `trials` says. */
  begin(record: PlannedSweep, trials: readonly TrialView[]): void;
  looked(trials: readonly TrialView[], verdicts: ReadonlyMap<string, Verdict>): void;
  warn(message: string): void;
  sending(now: Sending): void;
}

/** True for an owner on another machine that has ended, as the user has confirmed. */
type TakenOver = (owner: OwnerRecord) => boolean;

/** Between two looks at a cluster, in milliseconds: its scheduler serves others, too. Tests set the variable. */
const CLUSTER_LOOK_MS = Number(process.env.AURORA_CLUSTER_LOOK_MS) || 10_000;

/** Trials on a cluster may be in the middle of a long step, and its scheduler ends what hangs. */
export const CLUSTER_STOP_MS = 3_600_000;

/** A sweep that a process works on: what it plans, trains, moves and cancels. */
export class SweepWork {
  readonly runs: string;
  readonly names: TrialNames;
  /** Keeps the contents of the trials' folders that it has read. */
  private readonly looker = new TrialLooker();

  private constructor(
    private readonly request: SweepRequest,
    private readonly listener: SweepListener,
    readonly where: Where,
    /** Where trials were trained before, if that was elsewhere. */
    readonly left?: Where,
  ) {
    this.runs = experimentRuns(request.file);
    this.names = new TrialNames(this.runs);
  }

  /** Trains the trials of the file, where the options say or the sweep began. Writes nothing yet. */
  static plan(request: SweepRequest, listener: SweepListener): SweepWork {
    const begun = readSweep(request.folder);
    const where = whereOf(request, begun);
    return new SweepWork(request, listener, where, leftBy(request, begun, where));
  }

  /** Works on trials that have begun. */
  static begun(request: SweepRequest, listener: SweepListener, record: SweepRecord): SweepWork {
    return new SweepWork(request, listener, beganAt(request, record));
  }

  /** Checks the trials and finds out how many run in parallel, without training any. */
  async measured(): Promise<{ record: PlannedSweep; trials: TrialView[] }> {
    const planned = this.prepared();
    const measured = await checkSweep(planned, this.checkOptions());
    const record = { ...planned, room: await this.roomOf(planned, measured) };
    return { record, trials: this.lookAtAll(record) };
  }

  /**
   * Trains the trials, as the owner of the sweep's folder.
   *
   * @param requested a request to stop that was left elsewhere than in this folder
   */
  async train(
    takenOver: TakenOver,
    interrupted: () => boolean,
    requested?: () => StopReason | undefined,
  ): Promise<{ record: SweepRecord; outcome: SweepOutcome }> {
    const { folder, sweep, options, dist } = this.request;
    const { listener } = this;
    // No other process can change what it is made from now.
    let record: SweepRecord = this.prepared();
    const outcome = await runQueue({
      folder,
      prepare: async (stopped) => {
        // Written first, so that the sweep is visible and can be stopped during the check.
        writeSweep(folder, record);
        if (!options.acceptInputs) await refuseChangedInputs(record, specsOf(sweep), this.runs);
        const measured = await checkSweep(record, { ...this.checkOptions(), stopped });
        if (stopped()) return undefined;
        for (const trial of record.trials) delete trial.unchecked;
        const whole = { ...record, room: await this.roomOf(record, measured) };
        record = whole;
        listener.begin(whole, this.lookAtAll(whole));
        return whole;
      },
      specs: specsOf(sweep),
      executor: (record, save) => this.executor(this.where, record, takenOver, save),
      names: this.names,
      pulseWorker: join(dist, 'pulse-worker.cjs'),
      ...(options.lease && { lease: LEASE_MS }),
      retryFailed: options.retryFailed,
      acceptInputs: options.acceptInputs,
      once: options.once,
      ...(this.where.on !== 'local' && { stopTimeout: CLUSTER_STOP_MS }),
      interrupted,
      ...(requested && { requested }),
      refused: ({ message }) => listener.warn(`${message} The running trials finish first.`),
      looked: (trials, verdicts) => listener.looked(trials, verdicts),
    });
    return { record, outcome };
  }

  /**
   * Copies the checkpoints of all trials here from a cluster that shares no folder, once they have ended, for whatever
   * measures adapters here.
   *
   * @throws AuroraError 'network' if it cannot be reached
   */
  async bringCheckpoints({ trials }: SweepRecord): Promise<void> {
    const { where, runs, request } = this;
    if (where.on === 'local' || !where.cluster.files.collectCheckpoints) return;
    // Trials that finished elsewhere before have theirs.
    if (endedThere(request.folder, trials).length === 0) return;
    await bringCheckpoints({ folder: request.folder, runs, trials, where, given: 'all' });
  }

  /** Brings what was trained elsewhere from there, as the owner of the sweep's folder. */
  async move(left: Where, takenOver: TakenOver): Promise<void> {
    const { folder } = this.request;
    const record = readSweep(folder);
    if (!record?.room) return;
    const executor = this.follower(left, { ...record, room: record.room }, takenOver, true);
    await moveSweep(executor, record.trials, left.on, this.where.on, this.names);
    setPlace(record, this.where);
    writeSweep(folder, record);
  }

  /**
   * Cancels trials that no queue follows, as the owner of the sweep's folder, and waits until they have ended.
   *
   * @param busy gets the number of trials that are queued or running
   * @returns false if interrupted
   */
  async cancel(
    which: readonly TrialRecord[] | 'all',
    takenOver: TakenOver,
    interrupted: () => boolean,
    busy: (count: number) => void,
  ): Promise<boolean> {
    const record = readSweep(this.request.folder);
    if (!record?.room) return true;
    const executor = this.follower(this.where, { ...record, room: record.room }, takenOver);
    const isAsked = ({ id }: TrialRecord) => which === 'all' || which.some((t) => t.id === id);
    for (let first = true; ; first = false) {
      const left = (await executor.follow(record.trials)).filter((t) => isAsked(t.record) && isBusy(t));
      if (first) busy(left.length);
      if (left.length === 0) return true;
      if (interrupted()) return false;
      await executor.cancel(left);
      await wait(Math.min(executor.interval, 1000));
    }
  }

  /** Follows trials and starts none. */
  private follower(where: Where, record: PlannedSweep, takenOver: TakenOver, once = false): Executor {
    const save = () => writeSweep(this.request.folder, record);
    return this.executor(where, record, takenOver, save, { once, submitsNothing: true });
  }

  private executor(
    where: Where,
    record: PlannedSweep,
    takenOver: TakenOver,
    save: () => void,
    { once = this.request.options.once, submitsNothing = false } = {},
  ): Executor {
    const { folder, dist, sweep, options } = this.request;
    const { fallBack, acceptInputs } = options;
    const { runs, looker, listener } = this;
    const { room } = record;
    const trials: SweepTrials = {
      ...{ folder, runs, specs: specsOf(sweep), room, fallBack, acceptInputs, save, looker },
      inputs: (trial, spec) => trialInputs(record, trial, spec, { runs, accept: acceptInputs }),
    };
    if (where.on === 'local') {
      const program = join(dist, 'cli.cjs');
      return new LocalExecutor(trials, { program, available: availableMemory, takenOver });
    }
    return new ClusterExecutor(trials, where.cluster, {
      ...{ executor: where.on, interval: CLUSTER_LOOK_MS, once, submitsNothing },
      warn: (message) => listener.warn(message),
      sending: (now) => listener.sending(now),
    });
  }

  /** The trials of the file as they are on disk now. */
  private prepared(): SweepRecord {
    const { folder, sweep, options } = this.request;
    const record = prepareSweep(folder, sweep, options.set);
    setPlace(record, this.where);
    return record;
  }

  private lookAtAll({ trials }: SweepRecord): TrialView[] {
    return trials.map((t) => this.looker.look(t, runOf(t, this.runs)));
  }

  private checkOptions(): CheckOptions {
    const { options, sweep, dist } = this.request;
    const { engine, device } = placeOf(options);
    return {
      specs: specsOf(sweep),
      program: join(dist, 'cli.cjs'),
      place: ['--engine', engine, '--device', device, ...(options.fallBack ? ['--fallback'] : [])],
      here: this.where.on === 'local',
      stopped: () => false,
    };
  }

  /** The number of parallel trials, their device and their threads; measured unless given. */
  private async roomOf(record: SweepRecord, measured: Measured): Promise<SweepRoom> {
    const { options } = this.request;
    if (this.where.on !== 'local') return clusterRoom(options, this.where.cluster, record);
    const { room, spec, trials } = record;
    const asked = options.parallel ?? spec.parallel;
    const known = room && stays(room, options) ? room : undefined;
    const place = placeOf(options);
    const limits = {
      asked,
      threads: options.threadsHere || (known?.threads ?? 0),
      trials: trials.filter((t) => t.planned).length,
    };
    const isKnown = known && (asked !== undefined || known.memory !== undefined);
    const isGiven = asked !== undefined && !place.device.startsWith('auto');
    const all = isKnown ? known : isGiven ? place : { ...place, ...known, ...measured };
    return roomNow(all, { ...limits, gpus: (await gpusFor(all.device)).length });
  }
}

function setPlace(record: SweepRecord, { on }: Where): void {
  if (on === 'local') delete record.on;
  else record.on = on;
}

/** The room for trials on a cluster, as its section gives it: nothing is measured here. */
function clusterRoom(options: SweepOptions, cluster: Cluster, { spec, trials }: SweepRecord): SweepRoom {
  const planned = trials.filter((t) => t.planned).length;
  const most = options.parallel ?? cluster.parallel ?? spec.parallel ?? planned;
  return {
    parallel: Math.max(1, Math.min(most, planned)),
    // Never the `OMP_NUM_THREADS` of this machine.
    threads: options.threads || cluster.threads,
    engine: options.engine ?? 'onnxruntime',
    device: options.device ?? (cluster.gpu ? 'auto' : 'cpu'),
  };
}

const placeOf = ({ engine = 'onnxruntime', device = 'auto' }: SweepOptions) => ({ engine, device });

const specsOf = (sweep: Sweep) => new Map(sweep.trials.map((t) => [t.id, t.spec]));

/** True if trials stay on the device that they started on: the options name no other. */
const stays = (room: SweepRoom, { engine, device }: SweepOptions): boolean =>
  (engine ?? room.engine) === room.engine &&
  (device === undefined || device.startsWith('auto') || device === room.device);
