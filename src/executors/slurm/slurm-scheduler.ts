import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import type { SlurmSettings } from '../../experiment/cluster';
import { writeAtomic } from '../../files/atomic';
import { isWithScheduler } from '../../protocol/run-files/cluster';
import type { ClusterFiles } from '../cluster/cluster';
import type { ClusterThere, JobRef, JobState, Scheduler, Submission } from '../cluster/scheduler';
import { gaps } from '../cluster/submitted-trials';
import type { Output } from '../remote/child';
import type { ClusterShell } from '../remote/shell';
import { ON_PATH, readConfiguration, type SlurmConfiguration } from './configuration';
import { arrayScript } from './job-script';
import { TaskStates } from './job-states';
import { isLimit, slurmError } from './slurm-errors';
import {
  Accounting,
  jobName,
  parseQueue,
  queueCommand,
  type QueueLine,
  stateOf,
  tasksOfName,
  tasksText,
} from './slurm-queue';

/** Long, since a busy controller answers late, and sbatch itself retries. */
const SUBMIT_SECONDS = 110;
/** In this time ssh gives up, too. */
const SUBMIT_MS = (SUBMIT_SECONDS + 10) * 1000;
/** Requests that sbatch has sent before it was ended may wait in the controller. */
const BACKLOG_MS = 60_000;
/** The number of names that fit into a command line. */
const NAMES_AT_ONCE = 1000;

/** sbatch prefers a user's variables to the script's options: under another name, no job would be found again. */
const OUR_OPTIONS =
  'unset SBATCH_ARRAY_INX SBATCH_JOB_NAME SBATCH_NO_REQUEUE SBATCH_OPEN_MODE SBATCH_OUTPUT SBATCH_SIGNAL SBATCH_WAIT\n';

/** Job arrays, by Slurm's own commands on this machine or on a login node. */
export class SlurmScheduler implements Scheduler {
  readonly name: string;
  readonly appearsWithin = SUBMIT_MS + BACKLOG_MS;
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
    // The script that the array will have, but submitted nowhere.
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
    for (const gap of gaps({ ...submission, jobs })) {
      const end = gap.first + gap.count;
      for (let { first } = gap; first < end;) {
        const count = Math.min(end - first, maxArraySize, this.most ?? Infinity);
        const id = await this.submitArray(submission, { first, count }, jobs.at(-1)?.id);
        if (id === undefined) continue;
        add({ id, first, count });
        first += count;
      }
    }
  }

  async adopt(submission: Submission, submitted: (job: JobRef) => void): Promise<void> {
    const missing = gaps(submission);
    if (missing.length === 0) return;
    const found = new Map<string, JobRef>();
    // The names of its arrays are not known: all of the user's are listed.
    for (const { array, name } of await this.queue([])) {
      const job = tasksOfName(submission, name);
      if (job) found.set(array, { id: array, ...job });
    }
    const left = new Set(missing.flatMap(({ first, count }) => range(first, count)));
    for (const job of found.values()) {
      if (!left.has(job.first)) continue;
      const tasks = range(job.first, job.count);
      if (!tasks.every((task) => left.has(task))) continue;
      for (const task of tasks) left.delete(task);
      submitted(job);
    }
  }

  remember(submission: Submission, waited: readonly number[], ago: number): void {
    this.states_.remember(submission, waited, performance.now() - ago);
  }

  async states(submissions: readonly Submission[]): Promise<Map<number, JobState>[]> {
    const { minJobAge, accounting } = await this.configuration();
    const names = submissions.flatMap((s) => s.jobs.map((job) => jobName(s, job)));
    const lines = names.length > 0 ? await this.queue(names.length > NAMES_AT_ONCE ? [] : names) : [];
    await this.cancelDoubles(submissions, names, lines);
    const states = this.states_.read(submissions, lines, { now: performance.now(), minJobAge });
    if (accounting) await this.accounting.complete(submissions, states);
    for (const [i, submission] of submissions.entries()) {
      const logs = `${this.files.there(submission.folder)}/logs`;
      for (const state of states[i]!.values()) state.log = `${logs}/${state.job}.log`;
    }
    return states;
  }

  async cancel({ jobs }: Submission, tasks: readonly number[] | 'all'): Promise<void> {
    const asked = tasks === 'all' ? undefined : new Set(tasks);
    const names = jobs.flatMap(({ id, first, count }) => {
      if (!asked) return [id];
      const own = range(0, count).filter((task) => asked.has(first + task));
      return own.length > 0 ? [`${id}_[${tasksText(own)}]`] : [];
    });
    await this.scancel(names);
  }

  private async scancel(names: readonly string[]): Promise<void> {
    for (let i = 0; i < names.length; i += NAMES_AT_ONCE) {
      const some = names.slice(i, i + NAMES_AT_ONCE).map((name) => `'${name}'`);
      const output = await this.shell.run(`${ON_PATH}scancel ${some.join(' ')}`);
      // The jobs have ended before they could be cancelled.
      const ended = /invalid job id|already completing or completed/i.test(output.stderr);
      if (output.code !== 0 && !ended) throw slurmError(this.name, output, 'scancel');
    }
  }

  /**
   * A controller that was slower than we waited may have an array twice: all but the recorded one are cancelled. Until
   * then, the run's owner keeps two tasks of a trial apart.
   */
  private async cancelDoubles(
    submissions: readonly Submission[],
    names: readonly string[],
    lines: readonly QueueLine[],
  ): Promise<void> {
    const ours = new Set(names);
    const recorded = new Set(submissions.flatMap(({ jobs }) => jobs.map(({ id }) => id)));
    const doubles = lines.filter(
      (line) => ours.has(line.name) && !recorded.has(line.array) && isWithScheduler(stateOf(line)),
    );
    await this.scancel([...new Set(doubles.map(({ array }) => array))]);
  }

  /** The batch script of a submission. */
  async script(submission: Submission, job: Omit<JobRef, 'id'>, after?: string): Promise<string> {
    const { program, node } = await this.files.sendTrainer();
    return this.scriptWith({ program, node }, submission, job, after);
  }

  /** The script before anything has been sent. */
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
      parallel: submission.parallel,
      // Two arrays would have twice as many tasks at a time.
      after: submission.parallel === undefined ? undefined : after,
    });
  }

  private inScript(program: string, node: string | undefined) {
    return { settings: this.settings, program, node };
  }

  /** @returns the array's number; undefined if fewer tasks at once may be accepted */
  private async submitArray(
    submission: Submission,
    job: Omit<JobRef, 'id'>,
    after: string | undefined,
  ): Promise<string | undefined> {
    const script = await this.script(submission, job, after);
    // A copy of the script that ran, for anybody who wants to know.
    const file = job.first === 0 ? 'job.sh' : `job-${job.first}.sh`;
    writeAtomic(join(submission.folder, file), script, submission.folder);
    const output = await this.shell.run(
      // No `exec`: the shell reports it if a signal has ended it.
      `${ON_PATH}${OUR_OPTIONS}timeout ${SUBMIT_SECONDS} sbatch --parsable; exit $?`,
      { input: script, timeoutMs: SUBMIT_MS },
    );
    // With several clusters: number;cluster.
    const id = /^(\d+)(;.*)?$/m.exec(output.stdout)?.[1];
    if (output.code === 0 && id !== undefined) {
      if (this.most !== undefined) this.most = Math.max(this.most, 2 * job.count);
      return id;
    }
    if (isUnanswered(output))
      throw new AuroraError(
        'network',
        `${this.name} has not said whether it accepted a job: sbatch was ended.`,
        'Run the sweep again: it finds the job by its name.',
      );
    if (!isLimit(output.stderr) || job.count === 1) throw slurmError(this.name, output, 'sbatch');
    this.most = Math.ceil(job.count / 2);
    return undefined;
  }

  private async queue(names: readonly string[]): Promise<QueueLine[]> {
    return parseQueue(await this.run(queueCommand(names), 'squeue'));
  }

  private async run(script: string, command: string, input?: string): Promise<string> {
    const output = await this.shell.run(`${ON_PATH}${script}`, { input });
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

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

/** sbatch has succeeded without a number, was ended after its time (124), or by a signal. */
const isUnanswered = ({ code }: Output): boolean => code === 0 || code === 124 || code > 128;
