import { EXIT } from '../../base/errors';
import type { KubernetesSettings } from '../../experiment/cluster';
import type { Submission } from '../cluster/scheduler';
import { requirePlain } from '../cluster/plain-name';
import { LOG_TIMES_VARIABLE } from '../local/log-times';
import { CONTAINER, CONTAINER_SCRIPT } from './container';
import { FINAL_EXIT_CODES } from './exit-codes';
import { podMetadata, podSettings, volumeMount, type Account } from './pod';

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
