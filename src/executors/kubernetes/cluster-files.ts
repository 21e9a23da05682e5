import { statSync } from 'node:fs';
import { dirname, isAbsolute, posix, relative, sep } from 'node:path';
import { AuroraError } from '../../base/errors';
import type { KubernetesSettings } from '../../experiment/cluster';
import type { Experiment } from '../../experiment/experiment';
import { withPaths } from '../../experiment/paths';
import type { ClusterFiles, TrainerThere } from '../cluster/cluster';
import { requestIn } from '../cluster/request';
import { Rsync } from '../remote/rsync';
import { RsyncFiles, type RsyncFilesOptions } from '../remote/rsync-files';
import { type Account, mountOf } from './manifest';
import type { VolumePod } from './volume-pod';

/** Files on the volume that all pods mount. */
export interface KubernetesFiles extends ClusterFiles {
  /** The user that pods run as, if files must belong to somebody other than the image's user. */
  readonly account?: Account;
  /** Sends a small folder of a submission again. */
  sendFolder(folder: string): Promise<void>;
}

/** The volume is mounted on this machine too: run folders appear here as pods write them. */
export class MountedFiles implements KubernetesFiles {
  readonly account: Account | undefined;
  private readonly mount: string;
  private readonly folder: string;
  private known: Promise<TrainerThere> | undefined;

  /** @param trainer the trainer in the image */
  constructor(
    settings: KubernetesSettings & { folder: string },
    private readonly trainer: () => Promise<TrainerThere>,
  ) {
    this.folder = settings.folder;
    this.mount = mountOf(settings);
    this.account = ownerOf(this.folder);
  }

  /** @throws AuroraError 'experiment' if the path is not on the volume */
  there(path: string): string {
    const inside = relative(this.folder, path);
    if (!isAbsolute(inside) && inside !== '..' && !inside.startsWith(`..${sep}`))
      return posix.join(this.mount, inside.split(sep).join('/'));
    throw new AuroraError(
      'experiment',
      `${path} is not in ${this.folder}, where this machine mounts the cluster's volume.`,
      'Move the experiment, its model and its data there. Without cluster.kubernetes.folder, files are sent through a pod.',
    );
  }

  here(path: string): string | undefined {
    const inside = posix.relative(this.mount, path);
    return inside === '..' || inside.startsWith('../') ? undefined : posix.join(this.folder, inside);
  }

  sendTrainer(): Promise<TrainerThere> {
    return (this.known ??= this.trainer());
  }

  sendSubmission(_folder: string, specs: readonly Experiment[]): Promise<void> {
    for (const spec of specs) withPaths(spec, (path) => (this.there(path), path));
    return Promise.resolve();
  }

  async sendFolder(): Promise<void> {}
  async follow(): Promise<void> {}
  async collect(): Promise<void> {}
  async removeThere(): Promise<void> {}

  async request(runs: readonly string[], what: 'stop' | 'checkpoint'): Promise<void> {
    for (const run of runs) requestIn(run, what);
  }
}

/** Pods run as the owner of the folder, so that both may write there; root is refused to pods. */
function ownerOf(folder: string): Account | undefined {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (!found)
    throw new AuroraError(
      'experiment',
      `cluster.kubernetes.folder points to ${folder}, which does not exist on this machine.`,
      'Mount the volume of the cluster there, or remove the key: files are then sent through a pod.',
    );
  return found.uid === 0 || process.platform === 'win32' ? undefined : { uid: found.uid, gid: found.gid };
}

type Options = Omit<RsyncFilesOptions, 'host' | 'shell'> & { pod: VolumePod };

/** The files of a sweep on a volume that this machine does not mount: by rsync, through a pod that mounts it. */
export class PodFiles extends RsyncFiles implements KubernetesFiles {
  private readonly pod: VolumePod;

  constructor({ pod, ...options }: Options) {
    super({ ...options, host: pod.remote(), shell: pod.shell() });
    this.pod = pod;
  }

  async sendFolder(folder: string): Promise<void> {
    const whole = await new Rsync(this.pod.remote()).copy({
      from: dirname(folder),
      to: { there: this.there(dirname(folder)) },
      entries: [folder.slice(dirname(folder).length + 1)],
      timeoutMs: 60_000,
    });
    if (!whole)
      throw new AuroraError('network', `${folder} could not be copied to the volume in time.`, 'Try again.');
  }
}
