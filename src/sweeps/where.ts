import { dirname } from 'node:path';
import type { Cluster } from '../executors/cluster/cluster';
import type { ExecutorName } from '../experiment/cluster';
import { mergeClusterSettings, readClusterSettings } from '../runs/experiment/cluster';
import { experimentRuns } from '../runs/layout';
import type { SweepRecord } from '../runs/sweep/record';
import { filesRead } from '../training/inputs/files-read';
import { clusterOf, type ClusterName } from './clusters';
import type { SweepRequest } from './options';

/** The place where a sweep's trials are trained. */
export type Where = { on: 'local' } | { on: ClusterName; cluster: Cluster };

/** The parts of a sweep's record that decide where it is, if it has begun. */
type Begun = Pick<SweepRecord, 'on' | 'trials'> | undefined;

/** The place in the options, or where the sweep began. */
export const whereOf = (request: SweepRequest, begun: Begun): Where =>
  placeAt(request, request.options.on ?? begun?.on ?? 'local');

/** The place where trials of the sweep were trained before, if that was elsewhere. */
export function leftBy(request: SweepRequest, begun: Begun, { on }: Where): Where | undefined {
  if (!begun?.trials.some((t) => t.run !== undefined)) return undefined;
  const before = begun.on ?? 'local';
  return before === on ? undefined : placeAt(request, before);
}

/** The place where the sweep began. */
export const beganAt = (request: SweepRequest, begun: Begun): Where => placeAt(request, begun?.on ?? 'local');

function placeAt({ file, folder, sweep, dist, options }: SweepRequest, place: ExecutorName): Where {
  if (place === 'local') return { on: place };
  const { clusterFile } = options;
  const settings = mergeClusterSettings(
    sweep.cluster,
    clusterFile === undefined ? {} : readClusterSettings(clusterFile),
  );
  const home = dirname(dirname(experimentRuns(file)));
  return { on: place, cluster: clusterOf(place, settings, { dist, home, sweep: folder, filesRead }) };
}
