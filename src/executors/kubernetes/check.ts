import { AuroraError } from '../../base/errors';
import type { KubernetesSettings } from '../../experiment/cluster';
import type { Kubectl } from './kubectl';

/** The first version with backoffLimitPerIndex and podReplacementPolicy by default. */
const OLDEST_MINOR = 29;

/** The label of a node: pods have the volume in common if all are on one node. */
const HOSTNAME = 'kubernetes.io/hostname';

/**
 * Checks for conditions that would end every trial: no cluster, one that is too old, rights that are missing, or a
 * volume that pods cannot share.
 *
 * @throws AuroraError 'network' if the cluster cannot be reached, 'experiment' if a setting is wrong
 */
export async function checkCluster(kubectl: Kubectl, settings: KubernetesSettings): Promise<void> {
  await checkVersion(kubectl);
  // Whoever follows jobs lists them and their pods: without the right to, they would run unseen.
  await kubectl.json(['get', 'jobs,pods', '--selector=app.kubernetes.io/instance=none']);
  await checkClaim(kubectl, settings);
}

async function checkVersion(kubectl: Kubectl): Promise<void> {
  const { code, stdout } = await kubectl.run(['version', '--output=json']);
  const server = code === 0 ? (JSON.parse(stdout) as Versions).serverVersion : undefined;
  // Some providers write "29+".
  const minor = Number.parseInt(server?.minor ?? '', 10);
  if (server?.major !== '1' || !(minor < OLDEST_MINOR)) return;
  throw new AuroraError(
    'experiment',
    `${kubectl.name} has version 1.${minor}: jobs that try each trial again need 1.${OLDEST_MINOR} or newer.`,
    'Name the context of a newer cluster in cluster.kubernetes.context.',
  );
}

interface Versions {
  serverVersion?: { major: string; minor: string };
}

async function checkClaim(kubectl: Kubectl, { claim, nodeSelector }: KubernetesSettings): Promise<void> {
  let found;
  try {
    found = (await kubectl.json(['get', 'persistentvolumeclaim', claim])) as Claim | undefined;
  } catch (e) {
    // Whoever may create jobs need not be allowed to read claims.
    if (e instanceof AuroraError && e.kind === 'experiment' && /forbidden/i.test(e.message)) return;
    throw e;
  }
  if (!found)
    throw new AuroraError(
      'experiment',
      `${kubectl.name} has no persistent volume claim ${claim} in this namespace.`,
      'Name an existing one in cluster.kubernetes.claim, and its namespace in cluster.kubernetes.namespace.',
    );
  const modes = found.spec?.accessModes ?? [];
  if (modes.includes('ReadWriteMany') || (modes.includes('ReadWriteOnce') && nodeSelector?.[HOSTNAME]))
    return;
  throw new AuroraError(
    'experiment',
    `The claim ${claim} cannot be mounted by pods of several nodes: its access mode is ${modes.join(', ')}.`,
    `Use a claim with ReadWriteMany or, with ReadWriteOnce, keep all trials on one node: "nodeSelector": {"${HOSTNAME}": "NODE"}.`,
  );
}

interface Claim {
  spec?: { accessModes?: string[] };
}
