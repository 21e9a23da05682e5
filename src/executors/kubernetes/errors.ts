import { AuroraError } from '../../base/errors';

/** The cluster's own words about a refusal: a right that is missing, or a setting. */
export const refused = (name: string, stderr: string): AuroraError =>
  new AuroraError(
    'experiment',
    `${name} refused: ${lastLine(stderr)}`,
    stderr.includes('(Forbidden)') && stderr.includes(' cannot ')
      ? 'Ask whoever runs the cluster for this right; "kubectl auth can-i --list" shows yours.'
      : 'Check the section cluster.kubernetes of the experiment, or the setting aurora.cluster.',
  );

export const unreachable = (name: string, why: string): AuroraError =>
  new AuroraError(
    'network',
    `${name} cannot be reached: ${why}.`,
    'Try "kubectl get jobs" in a terminal. The jobs in the cluster are not affected.',
  );

export const noKubectl = (e: Error): AuroraError =>
  new AuroraError(
    'network',
    `kubectl could not be started: ${e.message}.`,
    'Install kubectl, and put it on the PATH.',
    { cause: e },
  );

/** An API server that is away, busy, or does not know the user: the next attempt may succeed without another setting. */
const UNREACHABLE =
  /unable to connect|connection to the server|connection refused|connection reset|no such host|i\/o timeout|handshake timeout|deadline exceeded|no route to host|unexpected EOF|connection lost|stream error|apiserver not ready|error dialing backend|etcdserver|must be logged in|getting credentials|\((?:Unauthorized|Timeout|ServerTimeout|ServiceUnavailable|TooManyRequests|Expired|InternalError)\)/i;

export const isUnreachable = (stderr: string): boolean => UNREACHABLE.test(stderr);

/** kubectl repeats its attempts before it states the problem. */
export const lastLine = (stderr: string): string =>
  stderr.trim().split('\n').at(-1)!.trim().replace(/\.$/, '') || 'kubectl gave no reason';
