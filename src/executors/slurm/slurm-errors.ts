import { AuroraError } from '../../base/errors';
import type { Output } from '../remote/child';

/**
 * The output of Slurm's commands if the controller does not answer; jobs are then not affected. Its own errors
 * (slurm_errno.c) and those of the system (a controller that ends while a command reads from it resets the connection).
 */
const UNREACHABLE =
  /unable to contact slurm controller|socket timed out|communication (connection|shutdown) failure|message (send|receive) failure|zero bytes were transmitted|slurm controller not responding|in standby mode|connection (refused|reset|timed out)|broken pipe|no route to host|network is unreachable|host is down|transport endpoint is not connected|temporarily unable|resource temporarily unavailable|munge .*failed|protocol authentication error/i;

/** Refusals, by sbatch's output; `$1` is the name in it. Each with the setting and the next step. */
const REFUSALS: readonly (readonly [RegExp, message: string, hint: string])[] = [
  [
    /invalid partition (?:specified: (\S+)|name specified)/i,
    'Slurm has no partition $1',
    'Set cluster.slurm.partition to one that `sinfo` lists.',
  ],
  [
    /invalid account or account\/partition combination/i,
    'the account is not yours, or may not use this partition',
    'Set cluster.slurm.account to one that `sacctmgr show associations user=$USER` lists.',
  ],
  [
    /invalid qos/i,
    'the quality of service is not known, or not yours',
    'Set cluster.slurm.qos to one that `sacctmgr show qos` lists.',
  ],
  [
    /requested reservation is invalid/i,
    'the reservation is not known',
    'Set cluster.slurm.reservation to one that `scontrol show reservation` lists.',
  ],
  [
    /invalid --?time|time limit is invalid|requested time limit/i,
    'the time limit is not valid, or longer than the partition allows',
    'Set cluster.slurm.time; `sinfo` lists the limit of each partition.',
  ],
  [
    /memory specification can not be satisfied|invalid --mem/i,
    'no node has as much memory',
    'Set cluster.slurm.memory to less.',
  ],
  [
    /cpu count per node can not be satisfied/i,
    'no node has as many cores',
    'Set cluster.slurm.cpus to fewer.',
  ],
  [
    /invalid generic resource|invalid gres/i,
    'the cluster has no such generic resource',
    'Set cluster.slurm.gres to one that `sinfo -o "%P %G"` lists.',
  ],
  [
    /invalid feature/i,
    'no node has these features',
    'Set cluster.slurm.constraint to some that `sinfo -o "%P %f"` lists.',
  ],
  [
    /node configuration is not available|more processors requested than permitted/i,
    'no node of the partition has what a trial asks for',
    'Ask for less in cluster.slurm (cpus, memory, gres, constraint), or for another partition.',
  ],
  [
    /user's group not permitted|access\/permission denied|not permitted to use this partition/i,
    'you may not use this partition',
    'Set cluster.slurm.partition or cluster.slurm.account to one that you may use.',
  ],
  [
    /unrecognized option '?([^'\n]+?)'?$|invalid option -- '?(\S+?)'?$/im,
    'sbatch does not know the option $1',
    'Correct cluster.slurm.options.',
  ],
];

/** The cluster does not accept as many jobs at the moment: fewer may be accepted, or later. */
export const isLimit = (stderr: string): boolean =>
  /job violates accounting\/qos policy|QOSMaxSubmit|AssocMaxSubmit|MaxSubmitJob|array size exceeds|invalid job array specification/i.test(
    stderr,
  );

/** The reason why a command of Slurm failed. */
export function slurmError(name: string, { code, stderr }: Output, command: string): AuroraError {
  const lines = stderr
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '');
  const said = (lines.at(-1) ?? `exit code ${code}`)
    .replace(/^\w+: (error: )?/, '')
    .replace(/\.$/, '')
    .trim();
  if (code === 127 || /: not found|command not found/.test(stderr))
    return new AuroraError(
      'experiment',
      `${command} was not found on ${placeOf(name)}.`,
      placeOf(name) === 'this machine'
        ? 'Name the login node in cluster.slurm.host, or start the sweep there.'
        : 'Slurm must be on the path of a shell that ssh starts there, or be set up in /etc/profile.',
    );
  if (UNREACHABLE.test(stderr))
    return new AuroraError(
      'network',
      `${name} is not responding: ${said}.`,
      'Jobs in its queue are not affected.',
    );
  if (isLimit(stderr))
    return new AuroraError(
      'failed',
      `${name} accepts no more jobs of yours now: ${said}.`,
      'Wait until some have ended, or ask for less: `sacctmgr show qos` lists the limits.',
    );
  for (const [pattern, message, hint] of REFUSALS) {
    const found = pattern.exec(stderr);
    if (!found) continue;
    const named = found[1] ?? found[2];
    const text = message.replace(' $1', named === undefined ? ' of that name' : ` "${named}"`);
    return new AuroraError('experiment', `${name} refused the job: ${text} (${said}).`, hint);
  }
  return new AuroraError(
    'failed',
    `${name}: ${command} failed: ${said}.`,
    'See what Slurm says, and run the sweep again.',
  );
}

/** "Slurm on login" is on "login". */
const placeOf = (name: string): string => name.replace(/^Slurm on /, '');
