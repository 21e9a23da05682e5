import { basename, join, resolve } from 'node:path';
import { AuroraError } from '../../../base/errors';
import { own } from '../../../base/names';
import { bytes } from '../../../base/number-text';
import type { Cluster } from '../../../executors/cluster/cluster';
import type { Submission } from '../../../executors/cluster/scheduler';
import { executorName } from '../../../experiment/cluster';
import { metricInfo } from '../../../experiment/metrics';
import { type Pruning, type RateSearch, settingText, trainedCount } from '../../../experiment/sweep';
import { isBusy, type TrialView } from '../../../runs/sweep/look';
import type { SweepRecord, SweepRoom } from '../../../runs/sweep/record';
import type { ParsedArgs } from '../../command';
import { table } from '../../table';

/** Values of a setting that are listed; any others are only counted. */
const LISTED = 8;

/** The plan of a sweep: the number of trials, the varied settings, and the way the trials are run. */
export function planText(record: SweepRecord & { room: SweepRoom }, trials: readonly TrialView[]): string {
  const { name, spec, metric, varied, room, on } = record;
  const planned = trials.filter((t) => t.record.planned);
  const finished = planned.filter((t) => t.state === 'finished').length;
  const begun = planned.filter((t) => t.state !== 'waiting' && t.state !== 'finished').length;
  const rows = varied.map((key) => [
    `  ${key}`,
    valuesText(
      key,
      planned.map((t) => own(t.record.settings, key)),
    ),
  ]);
  const before = [finished && `${finished} finished`, begun && `${begun} started`].filter(Boolean);
  const busy = planned.filter(isBusy).length;
  return [
    `Sweep of ${name}: ${spec.type}, ${planned.length === 1 ? '1 trial' : `${planned.length} trials`}, compared by ${metricInfo(metric).label}`,
    ...table(rows, '   '),
    `  ${roomText(room, on)}`,
    ...(spec.pruning ? [`  ${pruningText(spec.pruning)}`] : []),
    ...(spec.learningRateSearch ? [`  ${searchText(spec.learningRateSearch, planned)}`] : []),
    ...(before.length
      ? [`  Continuing: ${before.join(', ')} before${busy ? `, ${busy} training now` : ''}.`]
      : []),
    '',
  ].join('\n');
}

function valuesText(key: string, values: readonly unknown[]): string {
  const all = [...new Set(values.filter((v) => v !== undefined).map((v) => settingText(key, v)))];
  const shown = all.slice(0, LISTED).join(', ');
  return all.length > LISTED ? `${shown}, … (${all.length} values)` : shown;
}

function roomText({ parallel, threads, memory, device }: SweepRoom, on: SweepRecord['on']): string {
  const each = threads === 1 ? '1 thread' : `${threads} threads`;
  const where = on ? ` on ${executorName(on)}` : device.startsWith('auto') ? '' : ` on ${device}`;
  const size = memory === undefined ? '' : `, ${bytes(memory)} of memory per trial`;
  return parallel === 1
    ? `One at a time${where}, with ${each}${size}.`
    : `Up to ${parallel} at a time${where}, with ${each} each${size}.`;
}

function pruningText({ eta, minEpochs, minSteps }: Pruning): string {
  const first = minSteps ?? minEpochs!;
  const unit = minSteps === undefined ? 'epochs' : 'steps';
  return `Pruning: one in ${eta} continues after ${[first, first * eta, first * eta * eta].join(', ')}, … ${unit}.`;
}

function searchText(search: RateSearch, planned: readonly TrialView[]): string {
  const { seeds } = search;
  const first = seeds === 1 ? 'the first seed' : `the first ${seeds} seeds`;
  const trained = trainedCount(
    planned.map((t) => t.record.settings),
    search,
  );
  return `Learning rates are searched with ${first}; the other seeds use only the best: ${trained} trials.`;
}

/** Prints the planned submission, or writes it into the folder of `--write`. */
export async function showSubmission(
  args: ParsedArgs,
  cluster: Cluster,
  { trials, room }: SweepRecord & { room: SweepRoom },
  folder: string,
): Promise<void> {
  const planned = trials.filter((t) => t.planned);
  const submission: Submission = {
    name: `aurora-${basename(folder)}-1`,
    folder: join(folder, 'submissions', '1'),
    tasks: planned.map(({ id, number, run = 'run' }) => ({ trial: id, number, run, step: 0 })),
    ...(room.parallel < planned.length && { parallel: room.parallel }),
    jobs: [],
  };
  const target = args.text('write');
  if (target === undefined) {
    process.stdout.write(`\n${(await cluster.preview(submission)).trimEnd()}\n`);
    return;
  }
  if (!cluster.write)
    throw new AuroraError('usage', `${cluster.scheduler.name} needs no files.`, '--write is for Kubernetes.');
  for (const path of await cluster.write(resolve(target), submission)) process.stdout.write(`${path}\n`);
}
