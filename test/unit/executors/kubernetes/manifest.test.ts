import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/base/errors';
import { FINAL_EXIT_CODES } from '../../../../src/executors/kubernetes/container';
import { jobManifest, type JobRequest } from '../../../../src/executors/kubernetes/manifest';
import { apiErrors } from '../../../kubernetes/api-rules';
import { schemaErrors } from '../../../kubernetes/schema';

const task = (number: number) => ({ trial: `t${number}`, number, run: `run-${number}`, step: 0 });

const request = (more: Partial<JobRequest> = {}): JobRequest => ({
  submission: { name: 'aurora-1f0c9a42-3-5d3e', tasks: [1, 2, 3].map(task) },
  folder: '/aurora/study/.aurora/sweeps/e/1f0c9a42/submissions/1',
  trainerHash: 'a'.repeat(64),
  settings: { image: 'example.org/lab/aurora:1', claim: 'lab' },
  ...more,
});

const EVERYTHING = request({
  submission: { name: 'aurora-1f0c9a42-3-5d3e', tasks: [1, 2, 3].map(task), parallel: 2 },
  settings: {
    image: 'example.org/lab/aurora:1',
    claim: 'lab',
    context: 'lab',
    namespace: 'team',
    mount: '/data/',
    cpus: 4,
    memory: '16Gi',
    gpus: 1,
    gpuResource: 'amd.com/gpu',
    parallel: 5,
    retries: 0,
    serviceAccount: 'trainer',
    imagePullSecrets: ['registry'],
    nodeSelector: { 'example.org/pool': 'gpu' },
    tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 60 }],
  },
  account: { uid: 1234, gid: 100 },
});

describe('the job of a submission', () => {
  it.each([
    ['with the settings that it needs', request()],
    ['with every setting', EVERYTHING],
    [
      'of 10,000 trials',
      request({
        submission: { name: 'a'.repeat(50), tasks: Array.from({ length: 10_000 }, (_, i) => task(i)) },
      }),
    ],
  ])('is valid in Kubernetes 1.32, %s', (_, one) => {
    const job = jobManifest(one);
    expect(schemaErrors(job)).toEqual([]);
    expect(apiErrors(job)).toEqual([]);
  });

  it('would be refused with a field that Kubernetes does not have, or a value that it does not know', () => {
    const job = jobManifest(request());
    expect(schemaErrors({ ...job, spec: { ...job.spec, backoffLimitPerIndexes: 3 } } as object)).toEqual([
      '/spec must NOT have additional properties {"additionalProperty":"backoffLimitPerIndexes"}',
    ]);
    expect(schemaErrors({ ...job, spec: { ...job.spec, completionMode: 'indexed' } } as object)).toHaveLength(
      1,
    );
    expect(schemaErrors({ ...job, spec: { completions: 1.5 } } as object)).not.toEqual([]);
  });

  it('tries an index again except after a mistake or a stop, and counts no checkpoint and no disruption', () => {
    const { backoffLimitPerIndex, podFailurePolicy } = jobManifest(request()).spec;
    expect(backoffLimitPerIndex).toBe(3);
    expect(podFailurePolicy.rules).toMatchObject([
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
      { action: 'Ignore', onExitCodes: { operator: 'In', values: [75] } },
      { action: 'FailIndex', onExitCodes: { operator: 'In', values: FINAL_EXIT_CODES } },
    ]);
    const { experiment, data, diverged, stopped, requeue, owned, memory, network, failed } = EXIT;
    for (const code of [experiment, data, diverged, stopped]) expect(FINAL_EXIT_CODES).toContain(code);
    // 137: killed, mostly for its memory.
    for (const code of [0, requeue, owned, memory, network, failed, 137])
      expect(FINAL_EXIT_CODES).not.toContain(code);
  });

  it('changes no owners on a volume that this machine mounts, too: on some, Kubernetes would change those of all its files', () => {
    const contextOf = (one: JobRequest) => jobManifest(one).spec.template.spec.securityContext;
    expect(contextOf(EVERYTHING)).not.toHaveProperty('fsGroup');
    expect(contextOf(request())).toMatchObject({ fsGroup: 1000, fsGroupChangePolicy: 'OnRootMismatch' });
  });

  it('gets no proxy of a service mesh, which would outlive the trainer', () => {
    const { labels, annotations } = jobManifest(request()).spec.template.metadata;
    expect(labels).toMatchObject({ 'sidecar.istio.io/inject': 'false' });
    expect(annotations).toMatchObject({ 'linkerd.io/inject': 'disabled' });
  });

  it('has what the settings ask for', () => {
    const { parallelism, backoffLimitPerIndex, template } = jobManifest(EVERYTHING).spec;
    expect({ parallelism, backoffLimitPerIndex }).toEqual({ parallelism: 2, backoffLimitPerIndex: 0 });
    expect(template.spec).toMatchObject({
      serviceAccountName: 'trainer',
      imagePullSecrets: [{ name: 'registry' }],
      nodeSelector: { 'example.org/pool': 'gpu' },
      securityContext: { runAsUser: 1234, runAsGroup: 100 },
      volumes: [{ persistentVolumeClaim: { claimName: 'lab' } }],
    });
    expect(template.spec.containers[0]).toMatchObject({
      resources: {
        requests: { cpu: '4', memory: '16Gi', 'amd.com/gpu': '1' },
        limits: { memory: '16Gi', 'amd.com/gpu': '1' },
      },
      volumeMounts: [{ mountPath: '/data' }],
    });
  });
});
