import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import type { KubernetesSettings } from '../../experiment/cluster';
import { writeAtomic } from '../../files/atomic';
import { isLink } from '../cluster/request';
import type { ClusterThere, JobRef, JobState, Scheduler, Submission } from '../cluster/scheduler';
import type { KubernetesFiles } from './cluster-files';
import { CANCELLED_FOLDER } from './container';
import { type Kubectl, parsedOutput, refused } from './kubectl';
import { jobManifest } from './manifest';
import { itemsOf, requireShape } from './object-shapes';
import { askWarning, atMost, explainWaiting } from './pod-events';
import { jobStates, newestPods } from './pod-states';
import { type Job, JOB_NAME, listPods, type Pod } from './pods';
import { yamlText } from './write-image';

/** The number of names that fit into the address of a request. */
const NAMES_AT_ONCE = 100;
/** The number of indexes that fit; and kubectl, which makes 50 requests a second, takes a few seconds for as many. */
const PODS_AT_ONCE = 500;

/** About single pods and jobs, at each look. */
const QUESTIONS = 5;

/** Kubernetes, through the user's own kubectl: each submission is one Indexed Job of the same name. */
export class KubernetesScheduler implements Scheduler {
  /** Its API server ends every request after a minute. */
  readonly appearsWithin = 60_000;

  constructor(
    private readonly settings: KubernetesSettings,
    private readonly kubectl: Kubectl,
    private readonly files: KubernetesFiles,
  ) {}

  get name(): string {
    return this.kubectl.name;
  }

  check(): Promise<void> {
    return checkCluster(this.kubectl, this.settings);
  }

  async cluster(): Promise<ClusterThere> {
    const place = await this.kubectl.place();
    const { context = 'in a pod', namespace = 'its namespace' } = place;
    return { ...place, name: `Kubernetes (${context}, ${namespace}, volume ${this.settings.claim})` };
  }

  remember({ cluster }: Pick<Submission, 'cluster'>): void {
    if (cluster) this.kubectl.stay(cluster);
  }

  async submit(submission: Submission, submitted: (job: JobRef) => void): Promise<void> {
    if (submission.jobs.length > 0) return;
    const { name, folder, tasks } = submission;
    const job = await this.manifest(submission);
    writeAtomic(join(folder, 'job.yaml'), yamlText(job), folder);
    const { code, stderr } = await this.kubectl.run(['create', '--filename=-'], {
      input: JSON.stringify(job),
    });
    // Names are unique: it is the job of a process that was killed before it could record it.
    if (code !== 0 && !stderr.includes('(AlreadyExists)')) throw refused(this.name, stderr);
    submitted({ id: name, first: 0, count: tasks.length });
  }

  async adopt({ name, tasks, jobs }: Submission, submitted: (job: JobRef) => void): Promise<void> {
    if (jobs.length > 0) return;
    if (await this.kubectl.json(['get', 'job', name])) submitted({ id: name, first: 0, count: tasks.length });
  }

  /** The job of a submission, as it is created. */
  async manifest(submission: Submission) {
    const { hash } = await this.files.sendTrainer();
    const { settings, files } = this;
    const folder = files.there(submission.folder);
    return jobManifest({ submission, folder, trainerHash: hash, settings, account: files.account });
  }

  async states(submissions: readonly Submission[]): Promise<Map<number, JobState>[]> {
    const names = submissions.flatMap(({ jobs }) => jobs.map(({ id }) => id));
    const jobs = new Map<string, Job>();
    const pods: Pod[] = [];
    for (const some of chunks(names, NAMES_AT_ONCE)) {
      const among = `in (${some.join(',')})`;
      const ours = `--selector=app.kubernetes.io/instance ${among}`;
      const listed = itemsOf(this.name, 'jobs', await this.kubectl.json(['get', 'jobs', ours]));
      for (const job of listed.items) jobs.set(job.metadata.name, job);
      // Asked second: by then, it is known how the pod of a failed index ended. Pods that succeeded are in the job's
      // status, and there may be ten thousand.
      const rest = { labelSelector: `${JOB_NAME} ${among}`, fieldSelector: 'status.phase!=Succeeded' };
      for await (const pod of listPods(this.kubectl, rest)) pods.push(pod);
    }
    const newest = newestPods(pods);
    const ask = atMost(QUESTIONS, askWarning(this.kubectl));
    const found: Map<number, JobState>[] = [];
    for (const submission of submissions) {
      const states = new Map<number, JobState>();
      for (const { id, first, count } of submission.jobs) {
        const job = jobs.get(id);
        if (!job) continue;
        const own = newest.get(id);
        const known = jobStates(job, own, count);
        for (const [index, state] of await explainWaiting(ask, job, own, known))
          states.set(first + index, { ...state, log: this.logOf(submission, index) });
      }
      found.push(withoutCancelled(submission, states));
    }
    return found;
  }

  async cancel(submission: Submission, tasks: readonly number[] | 'all'): Promise<void> {
    const { jobs, folder } = submission;
    if (jobs.length === 0) return;
    const marked = tasks === 'all' ? [] : this.mark(folder, tasks);
    const cancelled = new Set([...cancelledIn(folder), ...marked]);
    const all = tasks === 'all' || cancelled.size >= submission.tasks.length;
    if (all) return this.delete(jobs.map(({ id }) => `job/${id}`));
    // An index cannot be taken out of a job: the pod that comes next finds the mark, and ends at once.
    await this.files.sendFolder(join(folder, CANCELLED_FOLDER));
    const index = 'batch.kubernetes.io/job-completion-index';
    for (const { id } of jobs)
      for (const some of chunks(tasks, PODS_AT_ONCE)) {
        const selector = `--selector=${JOB_NAME}=${id},${index} in (${some.join(',')})`;
        const args = ['delete', 'pods', selector, '--ignore-not-found', '--wait=false'];
        const { code, stderr } = await this.kubectl.run(args);
        if (code !== 0) throw refused(this.name, stderr);
      }
  }

  private async delete(names: readonly string[]): Promise<void> {
    // Its pods get SIGTERM.
    const args = ['delete', ...names, '--ignore-not-found', '--wait=false', '--cascade=background'];
    const { code, stderr } = await this.kubectl.run(args);
    if (code !== 0) throw refused(this.name, stderr);
  }

  private mark(folder: string, tasks: readonly number[]): readonly number[] {
    const marks = join(folder, CANCELLED_FOLDER);
    if (isLink(marks))
      throw new AuroraError(
        'disk',
        `${marks} is a link: nothing is written through it.`,
        'Find out who made it, then remove it and cancel the trials again.',
      );
    for (const index of tasks) writeAtomic(join(marks, String(index)), '', folder);
    return tasks;
  }

  private logOf({ folder }: Submission, index: number): string {
    return this.files.there(join(folder, 'logs', `${index}.log`));
  }
}

function* chunks<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let i = 0; i < all.length; i += size) yield all.slice(i, i + size);
}

/** A cancelled task never trains again, although its job would start a pod for it once more. */
function withoutCancelled(submission: Submission, states: Map<number, JobState>): Map<number, JobState> {
  for (const index of cancelledIn(submission.folder)) {
    const known = states.get(index);
    if (known && ['queued', 'preempted', 'failed'].includes(known.state))
      states.set(index, { ...known, state: 'cancelled' });
  }
  return states;
}

function cancelledIn(folder: string): number[] {
  const marks = join(folder, CANCELLED_FOLDER);
  return existsSync(marks)
    ? readdirSync(marks)
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
    : [];
}

/** The first version with backoffLimitPerIndex and podReplacementPolicy by default. */
const OLDEST_MINOR = 29;

/** The label of a node: pods have the volume in common if all are on one node. */
const HOSTNAME = 'kubernetes.io/hostname';

/**
 * Checks for conditions that would end every trial: no cluster, one that is too old, rights that are missing, or a
 * volume that pods cannot share.
 *
 * @throws AuroraError 'network' if the cluster cannot be reached, 'experiment' if a setting is wrong
 */
async function checkCluster(kubectl: Kubectl, settings: KubernetesSettings): Promise<void> {
  await checkVersion(kubectl);
  // Whoever follows jobs lists them and their pods: without the right to, they would run unseen.
  await kubectl.json(['get', 'jobs,pods', '--selector=app.kubernetes.io/instance=none']);
  await checkClaim(kubectl, settings);
}

async function checkVersion(kubectl: Kubectl): Promise<void> {
  const { code, stdout } = await kubectl.run(['version', '--output=json']);
  const answer = code === 0 ? parsedOutput(kubectl.name, stdout) : {};
  const server = (requireShape(kubectl.name, 'its version', answer) as Versions).serverVersion;
  // Some providers write "29+".
  const minor = Number.parseInt(server?.minor ?? '', 10);
  if (server?.major !== '1' || !(minor < OLDEST_MINOR)) return;
  throw new AuroraError(
    'experiment',
    `${kubectl.name} has version 1.${minor}: jobs that try each trial again need 1.${OLDEST_MINOR} or newer.`,
    'Name the context of a newer cluster in cluster.kubernetes.context.',
  );
}

interface Versions {
  serverVersion?: { major: string; minor: string };
}

async function checkClaim(kubectl: Kubectl, { claim, nodeSelector }: KubernetesSettings): Promise<void> {
  let found;
  try {
    const answer = await kubectl.json(['get', 'persistentvolumeclaim', claim]);
    found =
      answer === undefined ? undefined : (requireShape(kubectl.name, 'a volume claim', answer) as Claim);
  } catch (e) {
    // Whoever may create jobs need not be allowed to read claims.
    if (e instanceof AuroraError && e.kind === 'experiment' && /forbidden/i.test(e.message)) return;
    throw e;
  }
  if (!found)
    throw new AuroraError(
      'experiment',
      `${kubectl.name} has no persistent volume claim ${claim} in this namespace.`,
      'Name an existing one in cluster.kubernetes.claim, and its namespace in cluster.kubernetes.namespace.',
    );
  const modes = found.spec?.accessModes ?? [];
  if (modes.includes('ReadWriteMany') || (modes.includes('ReadWriteOnce') && nodeSelector?.[HOSTNAME]))
    return;
  throw new AuroraError(
    'experiment',
    `The claim ${claim} cannot be mounted by pods of several nodes: its access mode is ${modes.join(', ')}.`,
    `Use a claim with ReadWriteMany or, with ReadWriteOnce, keep all trials on one node: "nodeSelector": {"${HOSTNAME}": "NODE"}.`,
  );
}

interface Claim {
  spec?: { accessModes?: string[] };
}
