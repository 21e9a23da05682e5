import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AuroraError, EXIT } from '../../../base/errors';
import type { ExecutorName } from '../../../experiment/cluster';
import { loadExperiment, readExperiment, sweepOf } from '../../../runs/experiment/load';
import { createFolder, experimentRuns, experimentSweeps } from '../../../runs/layout';
import { readSweep, runOf } from '../../../runs/sweep/record';
import type { TaskRuns } from '../../../study/paper-table/table-cells';
import { SweepWork } from '../../../sweeps/sweep-work';
import type { SweepOutcome } from '../../../sweeps/sweep-queue';
import { taskRuns, type TableTask } from '../../../sweeps/tables/task-runs';
import type { ParsedArgs } from '../../command';
import { owning } from '../../owning';
import { optionsOf, ownedBy, Shown, viewOf } from '../sweep/trial-options';
import type { TableRequest } from './table-request';

/** An experiment of a table, as it was trained as far as possible. */
export interface TrainedTask {
  /** Undefined if none of its runs has finished. */
  runs?: TaskRuns;
  /** Set if it was stopped before its end: the exit code. */
  stopped?: number;
  /** True if trials failed. */
  failed: boolean;
}

/** Trains the trials of one experiment that have not been trained yet, and reads their results. */
export async function trainTask(
  file: string,
  task: TableTask,
  { table, overrides }: TableRequest,
  args: ParsedArgs,
  on: ExecutorName,
  interrupted: () => boolean,
): Promise<TrainedTask> {
  const sweep = sweepOf(readExperiment(file, overrides));
  const folder = createFolder(join(experimentSweeps(file), sweep.baseHash));
  const shown = new Shown(args);
  const options = { ...optionsOf(args), on };
  const work = SweepWork.plan({ file, folder, sweep, dist: __dirname, options }, shown);
  shown.view = viewOf(args, work.names);
  const { stopped, trials } = await owning(
    ownedBy(args, folder, (work.left ?? work.where).on),
    async (takenOver): Promise<SweepOutcome> => {
      if (work.left) await work.move(work.left, takenOver);
      const { record, outcome } = await work.train(takenOver, interrupted);
      shown.view.end(record, outcome, '');
      if (!outcome.stopped) await broughtOrWarned(() => work.bringCheckpoints(record));
      return outcome;
    },
  );
  const planned = trials.filter((t) => t.record.planned);
  const failed = planned.some((t) => t.state === 'failed' && !t.diverged);
  if (stopped) return { failed, stopped: stopped === 'owned' ? EXIT.owned : EXIT.stopped };
  const ended = planned.filter((t) => t.state === 'finished' || t.diverged);
  const folders = ended.flatMap((t) => runOf(t.record, experimentRuns(file)) ?? []);
  const quiet = args.flag('json');
  const runs = await taskRuns(task, table.rows, loadExperiment(file, overrides), folders, {
    measuring: (run, of) =>
      quiet ? undefined : void process.stderr.write(`Predicting the examples with run ${run} of ${of}…\n`),
    warn: (message) => void process.stderr.write(`warning: ${message}\n`),
    interrupted,
  });
  if (interrupted()) return { failed, stopped: EXIT.stopped };
  return { failed, ...(runs && { runs }) };
}

/** Without the checkpoints, methods are compared over seeds, and what needs an adapter here is left out. */
async function broughtOrWarned(bring: () => Promise<void>): Promise<void> {
  try {
    await bring();
  } catch (e) {
    process.stderr.write(`warning: ${reasonOf(e)}\n`);
  }
}

/**
 * The place where trials of an experiment were trained; undefined if none has begun.
 *
 * @throws AuroraError 'run' if the record of a sweep is damaged
 */
export function placeOf(file: string): ExecutorName | undefined {
  const sweeps = experimentSweeps(file);
  const names = existsSync(sweeps) ? readdirSync(sweeps) : [];
  const begun = names.map((name) => readSweep(join(sweeps, name))).find((record) => record !== undefined);
  return begun && (begun.on ?? 'local');
}

/** The file of a table's experiment. */
export const experimentFile = ({ out }: Pick<TableRequest, 'out'>, id: string): string =>
  join(out, `${basename(id)}.aurora.json`);

/** @throws anything that is not a problem of one data set */
export function reasonOf(e: unknown): string {
  if (!(e instanceof AuroraError)) throw e;
  return e.message;
}
