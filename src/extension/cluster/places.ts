import type { ClusterSettings, ExecutorName } from '../../experiment/cluster';

/** A place where a sweep can run. */
export interface Place {
  on: ExecutorName;
  /** The known facts about it; undefined if nothing has configured it. */
  cluster?: {
    /** The login node or the context; empty: this machine, or the current context. */
    place: string;
    /** `path`: Slurm's commands are on this machine. */
    from: 'experiment' | 'setting' | 'path';
  };
}

/**
 * This machine, then the clusters.
 *
 * @param section the experiment's `cluster` section, which comes before the machine's setting, key by key
 */
export function placesOf(
  section: ClusterSettings = {},
  setting: ClusterSettings = {},
  hasSlurm: boolean,
): Place[] {
  const from = (on: 'slurm' | 'kubernetes') =>
    section[on] ? 'experiment' : setting[on] ? 'setting' : undefined;
  const slurm = from('slurm') ?? (hasSlurm ? 'path' : undefined);
  const kubernetes = from('kubernetes');
  const host = section.slurm?.host ?? setting.slurm?.host ?? '';
  const context = section.kubernetes?.context ?? setting.kubernetes?.context ?? '';
  return [
    { on: 'local' },
    { on: 'slurm', ...(slurm && { cluster: { place: host, from: slurm } }) },
    { on: 'kubernetes', ...(kubernetes && { cluster: { place: context, from: kubernetes } }) },
  ];
}

export const isConfigured = ({ on, cluster }: Place): boolean => on === 'local' || cluster !== undefined;
