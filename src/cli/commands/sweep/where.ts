import { dirname } from 'node:path';
import { AuroraError } from '../../../base/errors';
import type { Cluster } from '../../../executors/cluster/cluster';
import type { ExecutorName } from '../../../experiment/cluster';
import { mergeClusterSettings, readClusterSettings } from '../../../runs/experiment/cluster';
import type { Sweep } from '../../../runs/experiment/sweep';
import { experimentRuns } from '../../../runs/layout';
import type { SweepRecord, SweepRoom } from '../../../runs/sweep/record';
import { filesRead } from '../../../trainer/inputs/files-read';
import { threadCount, wholeNumber, type ParsedArgs } from '../../command';
import { clusterOf, type ClusterName } from './clusters';
import { placeName } from './place-name';

const PLACES: readonly ExecutorName[] = ['local', 'slurm', 'kubernetes'];

/** Where a sweep's trials are trained. */
export type Where = { on: 'local' } | { on: ClusterName; cluster: Cluster };

export interface WhereRequest {
  /** The experiment file. */
  file: string;
  /** The sweep's folder. */
  folder: string;
  sweep: Sweep;
  /** As it was before this command. */
  record: Pick<SweepRecord, 'on' | 'trials'>;
}

/**
 * Where the options say, or where the sweep began.
 *
 * @throws AuroraError 'usage' if a sweep that has begun in one place would continue in another
 */
export function whereOf(args: ParsedArgs, { file, folder, sweep, record }: WhereRequest): Where {
  const given = args.text('on');
  const on = PLACES.find((place) => place === given);
  if (given !== undefined && !on)
    throw new AuroraError('usage', `--on takes local, slurm or kubernetes, not "${given}".`);
  const began = record.trials.some((t) => t.run !== undefined) ? (record.on ?? 'local') : undefined;
  if (on && began && on !== began)
    throw new AuroraError(
      'usage',
      `This sweep began on ${placeName(began)}, where its trials may still wait or run.`,
      `Continue it with --on ${began}. To train it elsewhere from the beginning, copy the experiment file under another name.`,
    );
  const place = on ?? record.on ?? 'local';
  if (place === 'local') {
    for (const option of ['cancel', 'write', 'no-wait'] as const) {
      const isGiven = args.flag(option) || args.text(option) !== undefined;
      if (option !== 'cancel' && isGiven)
        throw new AuroraError(
          'usage',
          `--${option} is for sweeps on a cluster.`,
          'Add --on slurm or --on kubernetes.',
        );
    }
    return { on: place };
  }
  const machine = args.text('cluster');
  const settings = mergeClusterSettings(
    sweep.cluster,
    machine === undefined ? {} : readClusterSettings(machine),
  );
  const home = dirname(dirname(experimentRuns(file)));
  const cluster = clusterOf(place, { ...{ settings, dist: __dirname, home, sweep: folder }, filesRead });
  return { on: place, cluster };
}

/** How each trial is run on a cluster: as its section says, so that nothing is measured here. */
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
