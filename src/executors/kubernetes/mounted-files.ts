import { isAbsolute, posix, relative, sep } from 'node:path';
import { statSync } from 'node:fs';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { withPaths } from '../../experiment/paths';
import type { KubernetesSettings } from '../../experiment/cluster';
import type { TrainerThere } from '../cluster/files';
import { requestIn } from '../cluster/request';
import type { KubernetesFiles } from './files';
import { mountOf, type Account } from './pod';

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
