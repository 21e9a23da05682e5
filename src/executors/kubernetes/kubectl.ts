import { AuroraError } from '../../base/errors';
import type { KubernetesSettings } from '../../experiment/cluster';
import { runChild, type Output } from '../slurm/child';

/** The user's own `kubectl`, with the context and the namespace of the settings. */
export interface Kubectl {
  /** Whom errors name. */
  readonly name: string;
  /** What precedes the arguments of every call. */
  readonly options: readonly string[];
  /**
   * @returns whatever its exit code is
   * @throws AuroraError 'network' if the cluster cannot be reached, or does not let the user in
   */
  run(
    args: readonly string[],
    options?: { input?: string | Uint8Array; timeoutMs?: number },
  ): Promise<Output>;
  /** What an object or a list is, as JSON; undefined if it does not exist. Any other refusal is an AuroraError 'experiment'. */
  json(args: readonly string[]): Promise<unknown>;
}

/** Longer than a busy API server takes. */
const TIMEOUT_MS = 60_000;

export function kubectl({ context, namespace }: Pick<KubernetesSettings, 'context' | 'namespace'>): Kubectl {
  const name = `Kubernetes (${context === undefined ? 'kubectl’s current context' : `context ${context}`})`;
  // One argument each, so that no name is read as an option.
  const options = [
    ...(context === undefined ? [] : [`--context=${context}`]),
    ...(namespace === undefined ? [] : [`--namespace=${namespace}`]),
  ];
  const run: Kubectl['run'] = async (args, { input, timeoutMs = TIMEOUT_MS } = {}) => {
    const output = await runChild('kubectl', [...options, ...args], {
      timeoutMs,
      ...(input !== undefined && { input }),
    }).catch((e: unknown) => {
      throw noKubectl(e as Error);
    });
    if (!output) throw unreachable(name, `no answer within ${Math.round(timeoutMs / 1000)} s`);
    if (output.code !== 0 && isUnreachable(output.stderr)) throw unreachable(name, lastLine(output.stderr));
    return output;
  };
  return {
    name,
    options,
    run,
    async json(args) {
      const { code, stdout, stderr } = await run([...args, '--output=json', '--ignore-not-found']);
      if (code !== 0) throw refused(name, stderr);
      if (stdout.trim() === '') return undefined;
      try {
        return JSON.parse(stdout) as unknown;
      } catch (e) {
        throw unreachable(name, `the answer was cut off (${(e as Error).message})`);
      }
    },
  };
}

/** The cluster's own words about what it refuses. */
export const refused = (name: string, stderr: string): AuroraError =>
  new AuroraError(
    'experiment',
    `${name} refused: ${lastLine(stderr)}`,
    'Check the section cluster.kubernetes of the experiment, or the setting aurora.cluster.',
  );

const unreachable = (name: string, why: string): AuroraError =>
  new AuroraError(
    'network',
    `${name} cannot be reached: ${why}.`,
    'Try "kubectl get jobs" in a terminal. The jobs in the cluster are not affected.',
  );

const noKubectl = (e: Error): AuroraError =>
  new AuroraError(
    'network',
    `kubectl could not be started: ${e.message}.`,
    'Install kubectl, and put it on the PATH.',
    { cause: e },
  );

/** An API server that is away, busy, or does not know the user: the next attempt may succeed without another setting. */
const UNREACHABLE =
  /unable to connect|connection to the server|connection refused|connection reset|no such host|i\/o timeout|handshake timeout|deadline exceeded|unexpected EOF|etcdserver|must be logged in|getting credentials|\((?:Unauthorized|Timeout|ServerTimeout|ServiceUnavailable|TooManyRequests|InternalError)\)/i;

const isUnreachable = (stderr: string): boolean => UNREACHABLE.test(stderr);

/** kubectl repeats what it tried before it says what is wrong. */
export const lastLine = (stderr: string): string =>
  stderr.trim().split('\n').at(-1)!.trim().replace(/\.$/, '') || 'kubectl gave no reason';
