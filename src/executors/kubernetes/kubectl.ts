import { readFileSync } from 'node:fs';
import { AuroraError } from '../../base/errors';
import type { KubernetesSettings } from '../../experiment/cluster';
import { type Output, runChild } from '../remote/child';
import type { ShellOptions } from '../remote/shell';
import { requireShape } from './object-shapes';
import { unreachable } from './unreachable';

/**
 * The user's own `kubectl`, from the first call to the last in one context and one namespace: those of the settings, of
 * an earlier process (`stay`), or else the user's current ones, even if the user switches to others later.
 */
export interface Kubectl {
  /** The name in errors. */
  readonly name: string;
  /** @throws AuroraError 'experiment' if kubectl does not know the context */
  place(): Promise<KubernetesPlace>;
  /** Before the first call: the place that an earlier process has found, as far as the settings leave it open. */
  stay(place: Partial<KubernetesPlace>): void;
  /** The options before the arguments of every call. */
  options(): Promise<readonly string[]>;
  /**
   * @returns whatever its exit code is
   * @throws AuroraError 'network' if the cluster cannot be reached, or does not let the user in
   */
  run(args: readonly string[], options?: ShellOptions): Promise<Output>;
  /** An object or a list as JSON; undefined if it does not exist. Any other refusal is an AuroraError 'experiment'. */
  json(args: readonly string[]): Promise<unknown>;
  /** The API server's answer to a GET of this path, with the same errors. */
  get(path: string): Promise<unknown>;
}

/** Longer than a busy API server takes. */
const TIMEOUT_MS = 60_000;

export function kubectl(settings: Pick<KubernetesSettings, 'context' | 'namespace'>): Kubectl {
  let given: Partial<KubernetesPlace> = { context: settings.context, namespace: settings.namespace };
  let found: Promise<KubernetesServer> | undefined;
  const call = async (args: readonly string[], { timeoutMs = TIMEOUT_MS, ...options }: ShellOptions = {}) => {
    const output = await runChild('kubectl', args, { timeoutMs, ...options }).catch((e: unknown) => {
      throw e instanceof AuroraError ? e : noKubectl(e as Error);
    });
    if (!output) throw unreachable(self.name, `no answer within ${Math.round(timeoutMs / 1000)} s`);
    return output;
  };
  const find = async (): Promise<KubernetesServer> => {
    const output = await call(viewOf(given));
    const server = serverIn(self.name, output, given);
    if (!server) throw refused(self.name, output.stderr);
    given = server;
    return server;
  };
  const server = (): Promise<KubernetesServer> =>
    (found ??= find().catch((e: unknown) => {
      found = undefined;
      throw e;
    }));
  const parsed = async (args: readonly string[]): Promise<unknown> => {
    const { code, stdout, stderr } = await self.run(args);
    if (code !== 0) throw refused(self.name, stderr);
    return stdout.trim() === '' ? undefined : parsedOutput(self.name, stdout);
  };
  const self: Kubectl = {
    get name() {
      const { context } = given;
      return `Kubernetes (${context === undefined ? 'kubectl’s current context' : `context ${context}`})`;
    },
    async place() {
      const { context, namespace } = await server();
      return { context, namespace };
    },
    stay({ context, namespace }) {
      if (context === undefined || (settings.context ?? context) !== context) return;
      given = { context, namespace: settings.namespace ?? namespace };
    },
    options: async () => optionsOf(await self.place()),
    async run(args, options) {
      const output = await call([...(await self.options()), ...args], options);
      if (output.code !== 0 && isUnreachable(output.stderr))
        throw unreachable(self.name, lastLine(output.stderr));
      return output;
    },
    json: (args) => parsed([...args, '--output=json', '--ignore-not-found']),
    get: async (path) => parsed(['get', '--raw', (await server()).root + path]),
  };
  return self;
}

/** A namespace of a cluster. No context: within a pod, whose service account names the cluster. */
interface KubernetesPlace {
  context?: string;
  namespace: string;
}

/** The path of the API server's address: behind a proxy, it has one. */
interface KubernetesServer extends KubernetesPlace {
  root: string;
}

/** The place as options of kubectl. One argument each, so that no name is read as an option. */
const optionsOf = ({ context, namespace }: Partial<KubernetesPlace>): string[] => [
  ...(context === undefined ? [] : [`--context=${context}`]),
  ...(namespace === undefined ? [] : [`--namespace=${namespace}`]),
];

/** Asks kubectl for the context, or else the current one. It reads only the user's files. */
const viewOf = ({ context }: Partial<KubernetesPlace>): string[] => [
  ...optionsOf({ context }),
  ...['config', 'view', '--minify', '--output=json'],
];

/** The context that was asked for, and nothing else. */
interface Configuration {
  'current-context': string;
  contexts: { context: { namespace?: string } }[];
  clusters: { cluster: { server: string } }[];
}

/**
 * The server and the place that the answer to `viewOf` has.
 *
 * @returns undefined if kubectl does not know the context
 */
export function serverIn(
  name: string,
  { code, stdout, stderr }: Output,
  given: Partial<KubernetesPlace>,
): KubernetesServer | undefined {
  if (code === 0) {
    const answer = requireShape(name, 'a configuration', parsedOutput(name, stdout));
    const { 'current-context': context, contexts, clusters } = answer as Configuration;
    const namespace = given.namespace ?? contexts[0]?.context.namespace ?? 'default';
    return { context, namespace, root: pathOf(clusters[0]?.cluster.server) };
  }
  if (given.context !== undefined || !/current-context must exist/.test(stderr)) return undefined;
  return { namespace: given.namespace ?? ownNamespace() ?? 'default', root: '' };
}

/** kubectl also takes an address without a scheme. */
const pathOf = (server = ''): string => server.replace(/^(\w+:\/\/)?[^/]*/, '').replace(/\/+$/, '');

/** The file in which kubectl finds it in a pod, too. */
const OWN_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

function ownNamespace(): string | undefined {
  try {
    return readFileSync(OWN_NAMESPACE, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

/** @throws AuroraError 'network' if it is not JSON */
export function parsedOutput(name: string, stdout: string): unknown {
  try {
    return JSON.parse(stdout) as unknown;
  } catch (e) {
    throw unreachable(name, `the answer was cut off (${(e as Error).message})`);
  }
}

/** The cluster's own words about a refusal: a right that is missing, or a setting. */
export const refused = (name: string, stderr: string): AuroraError =>
  new AuroraError(
    'experiment',
    `${name} refused: ${lastLine(stderr)}`,
    stderr.includes('(Forbidden)') && stderr.includes(' cannot ')
      ? 'Ask whoever runs the cluster for this right; "kubectl auth can-i --list" shows yours.'
      : 'Check the section cluster.kubernetes of the experiment, or the setting aurora.cluster.',
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
  /unable to connect|connection to the server|connection refused|connection reset|no such host|i\/o timeout|handshake timeout|deadline exceeded|no route to host|unexpected EOF|broken pipe|connection lost|stream error|apiserver not ready|error dialing backend|etcdserver|must be logged in|getting credentials|\((?:Unauthorized|Timeout|ServerTimeout|ServiceUnavailable|TooManyRequests|Expired|InternalError)\)/i;

const isUnreachable = (stderr: string): boolean => UNREACHABLE.test(stderr);

/** kubectl repeats its attempts before it states the problem. */
const lastLine = (stderr: string): string =>
  stderr.trim().split('\n').at(-1)!.trim().replace(/\.$/, '') || 'kubectl gave no reason';
