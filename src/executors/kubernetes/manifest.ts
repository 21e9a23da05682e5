import { EXIT } from '../../base/errors';
import type { KubernetesSettings } from '../../experiment/cluster';
import { requirePlain } from '../cluster/plain-name';
import type { Submission } from '../cluster/scheduler';
import { LOG_TIMES_VARIABLE } from '../local/log-times';
import { CONTAINER, CONTAINER_SCRIPT, FINAL_EXIT_CODES } from './container';

/** A trainer that is asked to stop finishes its step and saves, within two minutes; its last words take a moment. */
const GRACE_SECONDS = 180;
/** A finished job, with its pods, is removed after a week. Its trials are in their run folders. */
const KEPT_SECONDS = 7 * 24 * 60 * 60;
const RETRIES = 3;

export interface JobRequest {
  submission: Pick<Submission, 'name' | 'tasks' | 'parallel'>;
  /** The submission's folder, as pods see it. */
  folder: string;
  /** The hash of the trainer's package, which the image must have. */
  trainerHash: string;
  settings: KubernetesSettings;
  account?: Account;
}

/**
 * A submission as an Indexed Job: the pod of index i trains `tasks/i.json`. An index is tried again as often as `retries`
 * allows. A checkpoint that was asked for (exit code 75), a preemption or an eviction counts as no try; after a mistake in
 * the experiment, or a stop that was asked for, the index has failed at once. The next pod of an index starts only when
 * the last one has ended.
 */
export function jobManifest({ submission, folder, trainerHash, settings, account }: JobRequest) {
  const { name, tasks } = submission;
  const labels = { 'app.kubernetes.io/name': 'aurora-lab', 'app.kubernetes.io/instance': name };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, labels },
    spec: {
      completionMode: 'Indexed',
      completions: tasks.length,
      parallelism: Math.min(tasks.length, submission.parallel ?? settings.parallel ?? tasks.length),
      backoffLimitPerIndex: settings.retries ?? RETRIES,
      podReplacementPolicy: 'Failed',
      ttlSecondsAfterFinished: KEPT_SECONDS,
      podFailurePolicy: {
        rules: [
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          { action: 'Ignore', onExitCodes: onExit([EXIT.requeue]) },
          { action: 'FailIndex', onExitCodes: onExit(FINAL_EXIT_CODES) },
        ],
      },
      template: {
        metadata: podMetadata(labels),
        spec: {
          ...podSettings(settings, account),
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: GRACE_SECONDS,
          containers: [
            {
              name: CONTAINER,
              image: settings.image,
              command: ['/bin/sh', '-c', CONTAINER_SCRIPT, 'aurora-task'],
              args: [literal(folder), trainerHash],
              env: ENVIRONMENT,
              resources: resources(settings),
              ...volumeMount(settings),
            },
          ],
        },
      },
    },
  };
}

/** In arguments, `$(NAME)` is a variable. */
const literal = (text: string): string => requirePlain(text).replaceAll('$', '$$$$');

const onExit = (values: readonly number[]) => ({
  containerName: CONTAINER,
  operator: 'In',
  values: [...values],
});

const annotation = (name: string) => ({
  valueFrom: { fieldRef: { fieldPath: `metadata.annotations['batch.kubernetes.io/${name}']` } },
});

/** The job, and how many pods this index has had: later pods of the index end the claims of earlier ones. */
const ENVIRONMENT = [
  { name: LOG_TIMES_VARIABLE, value: '1' },
  // For caches: a user that the image does not know has none.
  { name: 'HOME', value: '/tmp' },
  {
    name: 'AURORA_JOB',
    valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/controller-uid']" } },
  },
  { name: 'AURORA_JOB_FAILURES', ...annotation('job-index-failure-count') },
  { name: 'AURORA_JOB_IGNORED_FAILURES', ...annotation('job-index-ignored-failure-count') },
];

/**
 * Memory and GPUs are limits, as Kubernetes requires of GPUs. Cores are only requested: a limit would stop threads for part
 * of each period.
 */
function resources({ cpus = 1, memory, gpus = 0, gpuResource = 'nvidia.com/gpu' }: KubernetesSettings) {
  const limits = {
    ...(memory !== undefined && { memory }),
    ...(gpus > 0 && { [gpuResource]: String(gpus) }),
  };
  return {
    requests: { cpu: String(cpus), ...limits },
    ...(Object.keys(limits).length > 0 && { limits }),
  };
}

/** The owner of the files on the volume, if this machine mounts it too; else the image's user. */
export interface Account {
  uid: number;
  gid: number;
}

const VOLUME = 'aurora';

/**
 * The path of the volume in pods. It is that of this machine, if it mounts the volume: then every path is the same in
 * both.
 */
export function mountOf({ mount, folder }: KubernetesSettings): string {
  const usual = folder?.startsWith('/') ? folder : '/aurora';
  return (mount ?? usual).replace(/(?<=.)\/+$/, '');
}

/** A proxy that a service mesh adds would not end with the trainer, and neither would the pod. */
export const podMetadata = (labels: Readonly<Record<string, string>>) => ({
  labels: { ...labels, 'sidecar.istio.io/inject': 'false' },
  annotations: { 'linkerd.io/inject': 'disabled' },
});

/** The settings that all pods share. They satisfy the `restricted` Pod Security Standard. */
export const podSettings = (settings: KubernetesSettings, account?: Account) => ({
  serviceAccountName: settings.serviceAccount,
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  ...(settings.imagePullSecrets && {
    imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })),
  }),
  nodeSelector: settings.nodeSelector,
  tolerations: settings.tolerations,
  securityContext: {
    runAsNonRoot: true,
    // An owner of files on the volume may write there. Otherwise the group of the image's user owns volumes that
    // Kubernetes formats; some drivers then change the group of all files on the volume.
    ...(account
      ? { runAsUser: account.uid, runAsGroup: account.gid }
      : { fsGroup: IMAGE_USER, fsGroupChangePolicy: 'OnRootMismatch' }),
    seccompProfile: { type: 'RuntimeDefault' },
  },
  volumes: [{ name: VOLUME, persistentVolumeClaim: { claimName: settings.claim } }],
});

/** User and group of the image, which the Dockerfile sets. */
export const IMAGE_USER = 1000;

export const volumeMount = (settings: KubernetesSettings) => ({
  volumeMounts: [{ name: VOLUME, mountPath: mountOf(settings) }],
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
});
