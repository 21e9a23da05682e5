import type { KubernetesSettings } from '../../experiment/cluster';
import type { Cluster } from '../cluster/cluster';
import type { RsyncFilesOptions } from '../remote/rsync-files';
import { imagePackage, trainerInImage } from './image';
import { kubectl } from './kubectl';
import { MountedFiles } from './mounted-files';
import { mountOf } from './pod';
import { PodFiles } from './pod-files';
import { KubernetesScheduler } from './scheduler';
import { VolumePod } from './volume-pod';
import { writeImage } from './write';
import { yamlText } from './yaml';

type Options = Pick<RsyncFilesOptions, 'dist' | 'home' | 'sweep' | 'filesRead'>;

/** The cluster of kubectl's context that the settings name. */
export function kubernetesCluster(settings: KubernetesSettings, options: Options): Cluster {
  const { folder, context = '', parallel, cpus = 1, gpus = 0 } = settings;
  const client = kubectl(settings);
  const trainer = () => trainerInImage(options.dist);
  const pod = new VolumePod(client, settings);
  const files =
    folder === undefined
      ? new PodFiles({ ...options, pod, trainer, folder: mountOf(settings) })
      : new MountedFiles({ ...settings, folder }, trainer);
  const scheduler = new KubernetesScheduler(settings, client, files);
  return {
    place: context,
    scheduler,
    files,
    parallel,
    threads: cpus,
    gpu: gpus > 0,
    preview: async (submission) => yamlText(await scheduler.manifest(submission)),
    write: async (target, submission) =>
      writeImage(target, {
        pkg: await imagePackage(options.dist),
        manifests: {
          'job.yaml': await scheduler.manifest(submission),
          ...(folder === undefined && { 'files-pod.yaml': pod.manifest() }),
        },
      }),
  };
}
