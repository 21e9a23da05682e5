import { dirname } from 'node:path';
import { AuroraError } from '../../base/errors';
import { Rsync } from '../remote/rsync';
import { RsyncFiles, type RsyncFilesOptions } from '../remote/rsync-files';
import type { KubernetesFiles } from './files';
import type { VolumePod } from './volume-pod';

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
