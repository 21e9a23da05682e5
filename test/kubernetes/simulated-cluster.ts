import type { jobManifest } from '../../src/executors/kubernetes/manifest';
import type { Pod } from '../../src/executors/kubernetes/pods';
import { apiErrors } from './api-rules';
import { schemaErrors } from './schema';
import { SimulatedJob } from './simulated-job';
import { SimulatedPod } from './simulated-pod';

type Manifest = ReturnType<typeof jobManifest>;

/** As the API server answers: an HTTP status and its reason. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

const SYNC_MS = 20;

/**
 * A Kubernetes cluster with one namespace, in this process: it validates jobs by the published schema, and does with them what
 * Kubernetes' controllers do. Its containers are real processes.
 */
export class SimulatedCluster {
  readonly jobs = new Map<string, SimulatedJob>();
  readonly pods = new Map<string, SimulatedPod>();
  readonly claims = new Map<string, object>();
  /** Pods that run at a time. */
  slots = 2;
  /** Why new pods do not run, as Kubernetes says it. */
  unschedulable: string | undefined;
  imagePull: string | undefined;
  /** A resource that the user may not list. */
  forbidden: string | undefined;
  /** Set if the API server is away. */
  unreachable: string | undefined;
  events: {
    involvedObject: { kind: string; name: string };
    reason: string;
    message: string;
    type: string;
    lastTimestamp?: string;
  }[] = [];
  /** The most pods of one index at the same time, which must be one. */
  mostAtOnce = 0;
  private readonly timer = setInterval(() => this.sync(), SYNC_MS);

  /** @param trainer where the image's trainer is on this machine */
  constructor(private readonly trainer: string) {}

  create(manifest: Manifest): void {
    const { name } = manifest.metadata;
    const errors = [...schemaErrors(manifest), ...apiErrors(manifest)];
    if (errors.length > 0)
      throw new Refusal(422, 'Invalid', `Job "${name}" is invalid: ${errors.join('; ')}`);
    if (this.jobs.has(name)) throw new Refusal(409, 'AlreadyExists', `jobs.batch "${name}" already exists`);
    this.jobs.set(name, new SimulatedJob(manifest, this.jobs.size));
    this.sync();
  }

  deleteJob(name: string): void {
    const job = this.jobs.get(name);
    if (!job) throw new Refusal(404, 'NotFound', `jobs.batch "${name}" not found`);
    job.deleted ??= new Date().toISOString();
    for (const pod of this.podsOf(job)) this.deletePod(pod);
    this.sync();
  }

  deletePod(pod: SimulatedPod): void {
    pod.deleted ??= new Date().toISOString();
    if (pod.phase === 'Running') pod.terminate();
    else this.pods.delete(pod.name);
  }

  /** The eviction API, a preemption, or a drained node: SIGTERM, and not the trial's fault. */
  evict(pod: SimulatedPod, reason = 'EvictionByEvictionAPI'): void {
    pod.conditions.push({
      type: 'DisruptionTarget',
      status: 'True',
      reason,
      message: 'Eviction API: evicting',
    });
    this.deletePod(pod);
  }

  /** The node has gone away with the pod; nobody was asked. */
  loseNode(pod: SimulatedPod): void {
    const reason = 'DeletionByPodGC';
    pod.conditions.push({
      type: 'DisruptionTarget',
      status: 'True',
      reason,
      message: 'PodGC: node no longer exists',
    });
    pod.deleted ??= new Date().toISOString();
    pod.kill();
  }

  outOfMemory(pod: SimulatedPod): void {
    pod.kill('OOMKilled');
  }

  /** Somebody, or the end of its time to live, has removed a job with its pods. */
  forget(name: string): void {
    const job = this.jobs.get(name)!;
    this.jobs.delete(name);
    for (const pod of this.podsOf(job)) {
      this.pods.delete(pod.name);
      pod.kill();
    }
  }

  running(): SimulatedPod[] {
    return [...this.pods.values()].filter((pod) => pod.phase === 'Running');
  }

  podList(): { pod: SimulatedPod; object: Pod }[] {
    return [...this.pods.values()].map((pod) => ({ pod, object: pod.object() }));
  }

  close(): void {
    clearInterval(this.timer);
    for (const pod of this.pods.values()) pod.kill();
  }

  private podsOf(job: SimulatedJob): SimulatedPod[] {
    return [...this.pods.values()].filter((pod) => pod.job === job);
  }

  private sync(): void {
    for (const [name, job] of this.jobs) {
      const active = this.podsOf(job).filter((pod) => !pod.isOver);
      const indexes = new Set(active.map(({ index }) => index));
      this.mostAtOnce = Math.max(this.mostAtOnce, active.length - indexes.size + 1);
      for (const index of job.waiting(indexes)) {
        const pod = new SimulatedPod(job, index);
        this.pods.set(pod.name, pod);
        active.push(pod);
      }
      job.active = active.length;
      if (job.deleted !== undefined && active.length === 0) this.jobs.delete(name);
    }
    for (const pod of this.pods.values()) if (pod.phase === 'Pending') this.schedule(pod);
  }

  private schedule(pod: SimulatedPod): void {
    pod.conditions.length = 0;
    const full =
      this.running().length >= this.slots ? '0/2 nodes are available: 2 Insufficient cpu.' : undefined;
    const why = this.unschedulable ?? full;
    pod.conditions.push({
      type: 'PodScheduled',
      ...(why === undefined
        ? { status: 'True' }
        : { status: 'False', reason: 'Unschedulable', message: why }),
    });
    if (why !== undefined) return;
    pod.waiting =
      this.imagePull === undefined ? undefined : { reason: 'ImagePullBackOff', message: this.imagePull };
    if (pod.waiting === undefined)
      pod.start(`node-${this.running().length}`, this.trainer, () => this.ended(pod));
  }

  private ended(pod: SimulatedPod): void {
    pod.job.ended(pod.index, pod.terminated!.exitCode, pod.conditions);
    if (pod.deleted !== undefined) this.pods.delete(pod.name);
    this.sync();
  }
}
