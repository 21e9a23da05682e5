import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import type { SlurmSettings } from '../../experiment/cluster';
import { writeAtomic } from '../../files/atomic';
import type { ClusterFiles } from '../cluster/files';
import { unsubmitted } from '../cluster/submissions';
import type { ClusterThere, JobRef, JobState, Scheduler, Submission } from '../cluster/scheduler';
import { Accounting } from './accounting';
import { ON_PATH, readConfiguration, type SlurmConfiguration } from './configuration';
import { isLimit, slurmError } from './errors';
import { jobName, tasksOfName } from './job-name';
import { parseQueue, queueCommand, tasksText, type QueueLine } from './queue';
import { arrayScript } from './script';
import type { ClusterShell } from './shell';
import { TaskStates } from './states';

/** Long, since a busy controller answers late, and sbatch itself retries. */
const SUBMIT_MS = 120_000;

/** sbatch takes a user's variables before what the script says: under another name, no job would be found again. */
const OUR_OPTIONS =
  'unset SBATCH_ARRAY_INX SBATCH_JOB_NAME SBATCH_NO_REQUEUE SBATCH_OPEN_MODE SBATCH_OUTPUT SBATCH_SIGNAL SBATCH_WAIT\n';

/** Job arrays, by Slurm's own commands on this machine or on a login node. */
export class SlurmScheduler implements Scheduler {
  readonly name: string;
  private readonly states_ = new TaskStates();
  private readonly accounting: Accounting;
  private known: Promise<SlurmConfiguration> | undefined;
  /** The most tasks of an array that a limit of jobs has let pass; undefined: none was met. */
  private most: number | undefined;

  constructor(
    private readonly settings: SlurmSettings,
    private readonly shell: ClusterShell,
    private readonly files: ClusterFiles,
  ) {
    this.name = `Slurm on ${shell.name}`;
    this.accounting = new Accounting((script) => this.run(script, 'sacct'));
  }

  async check(): Promise<void> {
    await this.configuration();
    // As the array will be, but submitted nowhere.
    const script = arrayScript({
      ...this.inScript('/', 'node'),
      name: 'aurora',
      folder: '/',
      first: 0,
      count: 1,
    });
    try {
      await this.run('sbatch --test-only', 'sbatch', script);
    } catch (e) {
      // Nodes that are down, or a limit that is reached now, end nothing: the job may wait.
      if (!(e instanceof AuroraError) || e.kind !== 'failed') throw e;
    }
  }

  async cluster(): Promise<ClusterThere> {
    const { name } = await this.configuration();
    const { folder } = this.settings;
    return { name: `the Slurm cluster ${name}${folder === undefined ? '' : `, in ${folder}`}` };
  }

  async submit(submission: Submission, submitted: (job: JobRef) => void): Promise<void> {
    const { maxArraySize } = await this.configuration();
    const jobs = [...submission.jobs];
    const add = (job: JobRef) => {
      jobs.push(job);
      this.states_.submitted(job, performance.now());
      submitted(job);
    };
    await this.adopt(submission, add);
    for (;;) {
      const next = firstGap({ ...submission, jobs });
      if (!next) return;
      const count = Math.min(next.count, maxArraySize, this.most ?? Infinity);
      const job = { first: next.first, count };
      const id = await this.submitArray(submission, job, jobs.at(-1)?.id);
      if (id !== undefined) add({ ...job, id });
    }
  }

  async adopt(submission: Submission, submitted: (job: JobRef) => void): Promise<void> {
    const jobs = [...submission.jobs];
    for (const job of await this.adoptable(submission)) {
      if (overlaps(jobs, job)) continue;
      jobs.push(job);
      submitted(job);
    }
  }

  remember(submission: Submission, waited: readonly number[], ago: number): void {
    this.states_.remember(submission, waited, performance.now() - ago);
  }

  async states(submissions: readonly Submission[]): Promise<Map<number, JobState>[]> {
    const { minJobAge, accounting } = await this.configuration();
    const names = submissions.flatMap((s) => s.jobs.map((job) => jobName(s, job)));
    const lines = names.length > 0 ? await this.queue(names) : [];
    const states = this.states_.read(submissions, lines, { now: performance.now(), minJobAge });
    if (accounting) await this.accounting.complete(submissions, states);
    for (const [i, submission] of submissions.entries()) {
      const logs = `${this.files.there(submission.folder)}/logs`;
      for (const state of states[i]!.values()) state.log = `${logs}/${state.job}.log`;
    }
    return states;
  }

  async cancel({ jobs }: Submission, tasks: readonly number[] | 'all'): Promise<void> {
    const names = jobs.flatMap(({ id, first, count }) => {
      if (tasks === 'all') return [id];
      const own = tasks.filter((task) => task >= first && task < first + count).map((task) => task - first);
      return own.length > 0 ? [`${id}_[${tasksText(own)}]`] : [];
    });
    if (names.length === 0) return;
    const output = await this.shell.run(`${ON_PATH}scancel ${names.map((n) => `'${n}'`).join(' ')}`);
    // Those that have ended meanwhile.
    const ended = /invalid job id|already completing or completed/i.test(output.stderr);
    if (output.code !== 0 && !ended) throw slurmError(this.name, output, 'scancel');
  }

  /** The batch script of a submission. */
  async script(submission: Submission, job: Omit<JobRef, 'id'>, after?: string): Promise<string> {
    const { program, node } = await this.files.sendTrainer();
    return this.scriptWith({ program, node }, submission, job, after);
  }

  /** The same before anything has been sent. */
  scriptWith(
    { program, node }: { program: string; node?: string | undefined },
    submission: Submission,
    job: Omit<JobRef, 'id'>,
    after?: string,
  ): string {
    return arrayScript({
      ...this.inScript(program, node),
      name: jobName(submission, job),
      folder: this.files.there(submission.folder),
      ...job,
      ...(submission.parallel !== undefined && { parallel: submission.parallel }),
      // Two arrays would have twice as many tasks at a time.
      ...(submission.parallel !== undefined && after !== undefined && { after }),
    });
  }

  private inScript(program: string, node: string | undefined) {
    return { settings: this.settings, program, ...(node !== undefined && { node }) };
  }

  /** @returns the array's number; undefined if fewer tasks at once may be accepted */
  private async submitArray(
    submission: Submission,
    job: Omit<JobRef, 'id'>,
    after: string | undefined,
  ): Promise<string | undefined> {
    const script = await this.script(submission, job, after);
    // For those who want to know what ran.
    const file = job.first === 0 ? 'job.sh' : `job-${job.first}.sh`;
    writeAtomic(join(submission.folder, file), script, submission.folder);
    const output = await this.shell.run(`${ON_PATH}${OUR_OPTIONS}exec sbatch --parsable`, {
      input: script,
      timeoutMs: SUBMIT_MS,
    });
    // With several clusters: number;cluster.
    const id = /^(\d+)(;.*)?$/m.exec(output.stdout)?.[1];
    if (output.code === 0 && id !== undefined) {
      if (this.most !== undefined) this.most = Math.max(this.most, 2 * job.count);
      return id;
    }
    if (!isLimit(output.stderr) || job.count === 1) throw slurmError(this.name, output, 'sbatch');
    this.most = Math.ceil(job.count / 2);
    return undefined;
  }

  /** Arrays of the submission that Slurm has and we have not recorded: this process, or one before it, was interrupted. */
  private async adoptable(submission: Submission): Promise<JobRef[]> {
    if (unsubmitted(submission) === 0) return [];
    const found = new Map<string, JobRef>();
    // The names of its arrays are not known: all of the user's are listed.
    for (const { array, name } of await this.queue([])) {
      const job = tasksOfName(submission, name);
      if (job) found.set(array, { id: array, ...job });
    }
    return [...found.values()];
  }

  private async queue(names: readonly string[]): Promise<QueueLine[]> {
    return parseQueue(await this.run(queueCommand(names), 'squeue'));
  }

  private async run(script: string, command: string, input?: string): Promise<string> {
    const output = await this.shell.run(`${ON_PATH}${script}`, { ...(input !== undefined && { input }) });
    if (output.code !== 0) throw slurmError(this.name, output, command);
    return output.stdout;
  }

  private configuration(): Promise<SlurmConfiguration> {
    return (this.known ??= readConfiguration(this.shell, this.name).catch((e) => {
      this.known = undefined;
      throw e;
    }));
  }
}

const overlaps = (jobs: readonly JobRef[], { first, count }: JobRef): boolean =>
  jobs.some((job) => first < job.first + job.count && job.first < first + count);

/** The first tasks of a submission that are in none of its jobs. */
function firstGap({ tasks, jobs }: Submission): Omit<JobRef, 'id'> | undefined {
  let first = 0;
  for (const job of [...jobs].sort((a, b) => a.first - b.first)) {
    if (job.first > first) return { first, count: job.first - first };
    first = Math.max(first, job.first + job.count);
  }
  return first < tasks.length ? { first, count: tasks.length - first } : undefined;
}
