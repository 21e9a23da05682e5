import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { ClusterSettings, ExecutorName } from '../../experiment/cluster';
import { childEnvironment } from '../../files/child-environment';

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

/** A controller that takes longer is there. */
const PING_MS = 3000;

/** True if this machine belongs to a cluster with Slurm: its commands may be installed without one. */
export async function hasSlurmHere(env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  return (await isOnPath('sbatch', env.PATH)) && isAnswer(await ping(env));
}

/** The output of `scontrol ping`, with controllers up or down; undefined if it took too long. */
function ping(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(
      'scontrol',
      ['ping'],
      { env: childEnvironment(env), timeout: PING_MS, encoding: 'utf8' },
      (e, stdout) => resolve(e?.killed ? undefined : stdout),
    );
  });
}

const isAnswer = (said: string | undefined): boolean => said === undefined || /^slurmctld/im.test(said);

/** True if a program is on the PATH. */
export async function isOnPath(program: string, path = ''): Promise<boolean> {
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue;
    try {
      await access(join(folder, program), constants.X_OK);
      return true;
    } catch {
      // The next one may have it.
    }
  }
  return false;
}
