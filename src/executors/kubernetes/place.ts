import { readFileSync } from 'node:fs';
import type { Output } from '../remote/child';

/** A namespace of a cluster. No context: within a pod, whose service account names the cluster. */
export interface KubernetesPlace {
  context?: string;
  namespace: string;
}

/** The path of the API server's address: behind a proxy, it has one. */
export interface KubernetesServer extends KubernetesPlace {
  root: string;
}

/** The place as options of kubectl. One argument each, so that no name is read as an option. */
export const optionsOf = ({ context, namespace }: Partial<KubernetesPlace>): string[] => [
  ...(context === undefined ? [] : [`--context=${context}`]),
  ...(namespace === undefined ? [] : [`--namespace=${namespace}`]),
];

/** Asks kubectl for the context, or else the current one. It reads only the user's files. */
export const viewOf = ({ context }: Partial<KubernetesPlace>): string[] => [
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
  { code, stdout, stderr }: Output,
  given: Partial<KubernetesPlace>,
): KubernetesServer | undefined {
  if (code === 0) {
    const { 'current-context': context, contexts, clusters } = JSON.parse(stdout) as Configuration;
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
