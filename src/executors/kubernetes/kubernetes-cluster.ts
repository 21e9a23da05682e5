import type { KubernetesSettings } from '../../experiment/cluster';
import type { Cluster, SweepFiles } from '../cluster/cluster';
import { MountedFiles, PodFiles } from './cluster-files';
import { imagePackage, trainerInImage } from './container';
import { kubectl } from './kubectl';
import { KubernetesScheduler } from './kubernetes-scheduler';
import { mountOf } from './manifest';
import { VolumePod } from './volume-pod';
import { writeImage, yamlText } from './write-image';

/** The cluster of kubectl's context that the settings name. */
export function kubernetesCluster(settings: KubernetesSettings, sweep: SweepFiles): Cluster {
  const { folder, context = '', parallel, cpus = 1, gpus = 0 } = settings;
  const client = kubectl(settings);
  const trainer = () => trainerInImage(sweep.dist);
  const pod = new VolumePod(client, settings);
  const files =
    folder === undefined
      ? new PodFiles({ ...sweep, pod, trainer, folder: mountOf(settings) })
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
        pkg: await imagePackage(sweep.dist),
        manifests: {
          'job.yaml': await scheduler.manifest(submission),
          ...(folder === undefined && { 'files-pod.yaml': pod.manifest() }),
        },
      }),
  };
}
