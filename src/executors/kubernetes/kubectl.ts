import { AuroraError } from '../../base/errors';
import type { KubernetesSettings } from '../../experiment/cluster';
import { runChild, type Output } from '../remote/child';
import type { ShellOptions } from '../remote/shell';
import { isUnreachable, lastLine, noKubectl, refused, unreachable } from './errors';
import { optionsOf, serverIn, viewOf, type KubernetesPlace, type KubernetesServer } from './place';

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
    const server = serverIn(output, given);
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
    if (stdout.trim() === '') return undefined;
    try {
      return JSON.parse(stdout) as unknown;
    } catch (e) {
      throw unreachable(self.name, `the answer was cut off (${(e as Error).message})`);
    }
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
