import { dirname } from 'node:path';
import type { Cluster } from '../executors/cluster/cluster';
import type { ExecutorName } from '../experiment/cluster';
import { mergeClusterSettings, readClusterSettings } from '../runs/experiment/cluster';
import type { Sweep } from '../runs/experiment/sweep';
import { experimentRuns } from '../runs/layout';
import type { SweepRecord } from '../runs/sweep/record';
import { filesRead } from '../training/inputs/files-read';
import { clusterOf, type ClusterName } from './clusters';
import type { SweepOptions } from './options';

/** The place where a sweep's trials are trained. */
export type Where = { on: 'local' } | { on: ClusterName; cluster: Cluster };

export interface WhereRequest {
  /** The experiment file. */
  file: string;
  /** The sweep's folder. */
  folder: string;
  sweep: Sweep;
  /** As it was before this command. */
  record: Pick<SweepRecord, 'on' | 'trials'>;
  /** The folder of the built programs. */
  dist: string;
}

/** The place in the options, or where the sweep began. */
export const whereOf = (options: SweepOptions, request: WhereRequest): Where =>
  placeAt(options, request, options.on ?? request.record.on ?? 'local');

/** The place where trials of the sweep were trained before, if that was elsewhere. */
export function leftBy(options: SweepOptions, request: WhereRequest, { on }: Where): Where | undefined {
  const { record } = request;
  if (record.trials.every((t) => t.run === undefined)) return undefined;
  const began = record.on ?? 'local';
  return began === on ? undefined : placeAt(options, request, began);
}

/** The place where the sweep began. */
export const beganAt = (options: SweepOptions, request: WhereRequest): Where =>
  placeAt(options, request, request.record.on ?? 'local');

function placeAt(
  { clusterFile }: SweepOptions,
  { file, folder, sweep, dist }: WhereRequest,
  place: ExecutorName,
): Where {
  if (place === 'local') return { on: place };
  const settings = mergeClusterSettings(
    sweep.cluster,
    clusterFile === undefined ? {} : readClusterSettings(clusterFile),
  );
  const home = dirname(dirname(experimentRuns(file)));
  const cluster = clusterOf(place, { settings, dist, home, sweep: folder, filesRead });
  return { on: place, cluster };
}
