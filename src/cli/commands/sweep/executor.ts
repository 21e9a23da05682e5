import { basename, join } from 'node:path';
import { LocalExecutor } from '../../../executors/local/executor';
import { sweepPaths, type SweepRecord, type SweepRoom } from '../../../runs/sweep/record';
import { availableMemory } from '../../../trainer/micro-batch/available';
import { trialInputs } from '../../../trainer/sweep/inputs';
import type { TakenOver } from '../../owning';

export interface ExecutorOptions {
  /** The sweep's folder. */
  folder: string;
  /** Where runs of the experiment are. */
  runs: string;
  takenOver: TakenOver;
  /** Writes the record with all its trials to disk. */
  save: () => void;
  fallBack: boolean;
  acceptInputs: boolean;
}

export const localExecutor = (
  record: SweepRecord & { room: SweepRoom },
  { folder, runs, takenOver, save, fallBack, acceptInputs }: ExecutorOptions,
): LocalExecutor =>
  new LocalExecutor(
    {
      ...{ program: join(__dirname, 'cli.cjs'), sweep: basename(folder), frozen: sweepPaths(folder).frozen },
      ...{ runs, room: record.room, available: availableMemory, fallBack, acceptInputs, save },
      inputs: (trial, spec) => trialInputs(record, trial, spec, { runs, accept: acceptInputs }),
    },
    takenOver,
  );
