import type { ClusterFiles } from '../cluster/files';
import type { Account } from './pod';

/** Files on the volume that all pods mount. */
export interface KubernetesFiles extends ClusterFiles {
  /** The user that pods run as, if files must belong to somebody other than the image's user. */
  readonly account?: Account;
  /** Sends a small folder of a submission again. */
  sendFolder(folder: string): Promise<void>;
}
