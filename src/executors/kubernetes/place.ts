import { readFileSync } from 'node:fs';
import type { Output } from '../slurm/child';

/** A namespace of a cluster. No context: within a pod, whose service account names the cluster. */
export interface KubernetesPlace {
  context?: string;
  namespace: string;
}

/** As options of kubectl. One argument each, so that no name is read as an option. */
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
}

/**
 * The place that the answer to `viewOf` completes.
 *
 * @returns undefined if kubectl does not know the context
 */
export function placeIn(
  { code, stdout, stderr }: Output,
  given: Partial<KubernetesPlace>,
): KubernetesPlace | undefined {
  if (code === 0) {
    const { 'current-context': context, contexts } = JSON.parse(stdout) as Configuration;
    return { context, namespace: given.namespace ?? contexts[0]?.context.namespace ?? 'default' };
  }
  if (given.context !== undefined || !/current-context must exist/.test(stderr)) return undefined;
  return { namespace: given.namespace ?? ownNamespace() ?? 'default' };
}

/** Where kubectl finds it in a pod, too. */
const OWN_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

function ownNamespace(): string | undefined {
  try {
    return readFileSync(OWN_NAMESPACE, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
