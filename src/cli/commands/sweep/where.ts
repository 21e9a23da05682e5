import { dirname } from 'node:path';
import { AuroraError } from '../../../base/errors';
import type { Cluster } from '../../../executors/cluster/cluster';
import type { ExecutorName } from '../../../experiment/cluster';
import { mergeClusterSettings, readClusterSettings } from '../../../runs/experiment/cluster';
import type { Sweep } from '../../../runs/experiment/sweep';
import { experimentRuns } from '../../../runs/layout';
import type { SweepRecord, SweepRoom } from '../../../runs/sweep/record';
import { filesRead } from '../../../training/inputs/files-read';
import { threadCount, wholeNumber, type ParsedArgs } from '../../command';
import { clusterOf, type ClusterName } from './clusters';

const PLACES: readonly ExecutorName[] = ['local', 'slurm', 'kubernetes'];

/** The place where a sweep's trials are trained. */
export type Where = { on: 'local' } | { on: ClusterName; cluster: Cluster };

export interface WhereRequest {
  /** The experiment file. */
  file: string;
  /** The sweep's folder. */
  folder: string;
  sweep: Sweep;
  /** The record as it was before this command. */
  record: Pick<SweepRecord, 'on' | 'trials'>;
}

/**
 * The place that the options name, or the one where the sweep began.
 * @throws AuroraError 'usage' for an unknown place, or an option that is not for this one
 */
export function whereOf(args: ParsedArgs, request: WhereRequest): Where {
  const given = args.text('on');
  const on = PLACES.find((place) => place === given);
  if (given !== undefined && !on)
    throw new AuroraError('usage', `--on takes local, slurm or kubernetes, not "${given}".`);
  const place = on ?? request.record.on ?? 'local';
  if (place === 'local')
    for (const option of ['write', 'no-wait'] as const)
      if (args.flag(option) || args.text(option) !== undefined)
        throw new AuroraError(
          'usage',
          `--${option} is for sweeps on a cluster.`,
          'Add --on slurm or --on kubernetes.',
        );
  return placeAt(args, request, place);
}

/** The place where trials of the sweep were trained before, if it was another one. */
export function leftBy(args: ParsedArgs, request: WhereRequest, { on }: Where): Where | undefined {
  const { record } = request;
  if (record.trials.every((t) => t.run === undefined)) return undefined;
  const began = record.on ?? 'local';
  return began === on ? undefined : placeAt(args, request, began);
}

/** The place where the sweep began. */
export const beganAt = (args: ParsedArgs, request: WhereRequest): Where =>
  placeAt(args, request, request.record.on ?? 'local');

function placeAt(args: ParsedArgs, { file, folder, sweep }: WhereRequest, place: ExecutorName): Where {
  if (place === 'local') return { on: place };
  const machine = args.text('cluster');
  const settings = mergeClusterSettings(
    sweep.cluster,
    machine === undefined ? {} : readClusterSettings(machine),
  );
  const home = dirname(dirname(experimentRuns(file)));
  const cluster = clusterOf(place, { ...{ settings, dist: __dirname, home, sweep: folder }, filesRead });
  return { on: place, cluster };
}

/** The way each trial is run on a cluster: as its section says, so that nothing is measured here. */
export function clusterRoom(args: ParsedArgs, cluster: Cluster, { spec, trials }: SweepRecord): SweepRoom {
  const planned = trials.filter((t) => t.planned).length;
  const given = args.text('parallel');
  const most =
    given === undefined ? (cluster.parallel ?? spec.parallel) : Math.max(1, wholeNumber('parallel', given));
  return {
    parallel: Math.max(1, Math.min(most ?? planned, planned)),
    threads: threadsOf(args, cluster),
    engine: args.text('engine') ?? 'onnxruntime',
    device: args.text('device') ?? (cluster.gpu ? 'auto' : 'cpu'),
  };
}

/** Never the `OMP_NUM_THREADS` of this machine. */
const threadsOf = (args: ParsedArgs, { threads }: Cluster): number =>
  threadCount(args.text('threads'), {}) || threads;
