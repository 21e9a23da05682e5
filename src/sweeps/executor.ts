import { basename, join } from 'node:path';
import { ClusterExecutor } from '../executors/cluster/executor';
import type { Sending } from '../executors/cluster/files';
import type { Executor } from '../executors/executor';
import { LocalExecutor } from '../executors/local/executor';
import type { Experiment } from '../experiment/experiment';
import type { TrialLooker } from '../runs/sweep/looker';
import { sweepPaths, type SweepRecord, type SweepRoom } from '../runs/sweep/record';
import { availableMemory } from '../training/micro-batch/available';
import { trialInputs } from './inputs';
import type { OwnerRecord } from '../files/fence';
import type { Where } from './where';

/** Between two looks at a cluster, in milliseconds: its scheduler serves others, too. Tests set the variable. */
const CLUSTER_LOOK_MS = Number(process.env.AURORA_CLUSTER_LOOK_MS) || 10_000;

export interface ExecutorOptions {
  /** The sweep's folder. */
  folder: string;
  /** The folder of the experiment's runs. */
  runs: string;
  /** The folder of the built programs. */
  dist: string;
  /** Each planned trial's experiment, by id. */
  specs: ReadonlyMap<string, Experiment>;
  /** True for an owner on another machine that has ended, as the user has confirmed. */
  takenOver: (owner: OwnerRecord) => boolean;
  /** Writes the record with all its trials to disk. */
  save: () => void;
  fallBack: boolean;
  acceptInputs: boolean;
  once: boolean;
  submitsNothing?: boolean;
  /** The looker that has looked at the trials before. */
  looker: TrialLooker;
  warn: (message: string) => void;
  /** Called now and then while models and data are sent to a cluster. */
  sending: (now: Sending) => void;
}

/** The executor that trains the trials of this record. */
export function executorOf(
  where: Where,
  record: SweepRecord & { room: SweepRoom },
  {
    folder,
    runs,
    dist,
    specs,
    takenOver,
    save,
    fallBack,
    acceptInputs,
    once,
    submitsNothing = false,
    looker,
    warn,
    sending,
  }: ExecutorOptions,
): Executor {
  const { room } = record;
  const inputs: ConstructorParameters<typeof LocalExecutor>[0]['inputs'] = (trial, spec) =>
    trialInputs(record, trial, spec, { runs, accept: acceptInputs });
  if (where.on === 'local') {
    const program = join(dist, 'cli.cjs');
    const { frozen } = sweepPaths(folder);
    return new LocalExecutor(
      {
        ...{ program, sweep: basename(folder), frozen, runs, room },
        ...{ available: availableMemory, fallBack, acceptInputs, save, inputs },
      },
      takenOver,
      looker,
    );
  }
  const { scheduler, files, place } = where.cluster;
  const planned = record.trials.filter((t) => t.planned).length;
  return new ClusterExecutor({
    ...{ executor: where.on, place, folder, runs, scheduler, files, specs, fallBack, acceptInputs },
    ...{ threads: room.threads, engine: room.engine, device: room.device },
    ...(room.parallel < planned && { parallel: room.parallel }),
    ...{ interval: CLUSTER_LOOK_MS, once, submitsNothing, looker, inputs, save, warn, sending },
  });
}
