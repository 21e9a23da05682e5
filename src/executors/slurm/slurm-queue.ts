import { EXIT } from '../../base/errors';
import { isWithScheduler } from '../../protocol/run-files/cluster';
import type { JobRef, JobState, Submission } from '../cluster/scheduler';

/** A line of squeue: a task of an array, or several that wait. */
export interface QueueLine {
  /** The array's job number. */
  array: string;
  /** Indices in the array, for `parseTasks`; none for the rest of an array whose waiting tasks were cancelled. */
  tasks: string;
  name: string;
  state: string;
  /** The reason why it waits; `None` if Slurm has given none. */
  reason: string;
  node: string;
  restarts: number;
  exitCode: number;
}

/** Each ends with a bar, since squeue otherwise cuts fields to 20 characters. */
const FIELDS = [
  'ArrayJobID',
  'ArrayTaskID',
  'Name',
  'State',
  'Reason',
  'NodeList',
  'RestartCnt',
  'exit_code',
];

/**
 * The command that lists the user's jobs, of these names only if there are any; ended ones as long as Slurm knows them.
 */
export const queueCommand = (names: readonly string[]): string =>
  // Unlimited, since a list of tasks is otherwise cut, too.
  `SLURM_BITSTR_LEN=0 squeue --noheader --states=all --user="$(id -un)"${names.length > 0 ? ` --name=${names.join(',')}` : ''} --Format=${FIELDS.map((f) => `${f}:'|'`).join(',')}`;

/** Parses the output of that command: ten thousand waiting tasks are one line. */
export function parseQueue(text: string): QueueLine[] {
  return text.split('\n').flatMap((line) => {
    const [array, tasks, name, state, reason, node, restarts, exitCode] = line
      .split('|')
      .map((f) => f.trim());
    // The number becomes a part of commands.
    if (!array || !/^\d+$/.test(array) || !tasks || !name || !state) return [];
    return {
      ...{ array, tasks, name, state, reason: reason ?? '', node: node ?? '' },
      restarts: Number(restarts) || 0,
      exitCode: Number(exitCode?.split(':')[0]) || 0,
    };
  });
}

/** The largest array that Slurm can be configured for (MaxArraySize). */
const MOST_TASKS = 4_000_001;

/**
 * `0,3-9:2,12%2` as numbers: ranges, with a step after a colon, and how many at a time after a percent sign.
 *
 * @param below the number of the array's tasks: numbers from there on are not among them, and a list of more is cut
 *   off, since the output need not be Slurm's
 */
export function parseTasks(text: string, below = MOST_TASKS): number[] {
  const tasks: number[] = [];
  for (const part of text.replace(/%.*/s, '').split(',')) {
    const [, first, last = first, step = '1'] = /^(\d+)(?:-(\d+))?(?::(\d+))?$/.exec(part) ?? [];
    if (first === undefined) continue;
    const end = Math.min(Number(last), below - 1);
    for (let task = Number(first); task <= end; task += Math.max(1, Number(step))) {
      if (tasks.length === below) return tasks;
      tasks.push(task);
    }
  }
  return tasks;
}

/** Numbers as Slurm reads them, `0-3,7`. */
export function tasksText(tasks: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const task of [...new Set(tasks)].sort((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range && task === range[1] + 1) range[1] = task;
    else ranges.push([task, task]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

const WAITING = [
  'PENDING',
  'CONFIGURING',
  'REQUEUED',
  'REQUEUE_FED',
  'REQUEUE_HOLD',
  'SPECIAL_EXIT',
  'RESV_DEL_HOLD',
];
/** Ended by the scheduler, and not by the trainer. */
const LOST = ['NODE_FAIL', 'BOOT_FAIL', 'PREEMPTED', 'REVOKED', 'LAUNCH_FAILED'];
const FAILED = ['FAILED', 'TIMEOUT', 'OUT_OF_MEMORY', 'DEADLINE'];

/** A task's state in our words. A state that is unknown to us has not ended. */
export function stateOf({
  state,
  reason,
  node,
  restarts,
  exitCode,
}: Omit<QueueLine, 'array' | 'tasks' | 'name'>): Omit<JobState, 'job'> {
  const more = { ...(restarts > 0 && { restarts }) };
  if (WAITING.includes(state)) {
    // Its reason from before remains while it is requeued.
    const code = reason === 'None' || reason === '' ? undefined : reason;
    return { state: restarts > 0 ? 'preempted' : 'queued', code, ...more };
  }
  const at = { ...more, ...(node !== '' && { node }) };
  if (state === 'COMPLETED') return { state: 'finished', exitCode: 0, ...at };
  if (state === 'CANCELLED') return { state: 'cancelled', exitCode, ...at };
  if (LOST.includes(state)) return { state: 'lost', code: state, ...at };
  if (FAILED.includes(state)) {
    const code = state === 'FAILED' ? whyFailed(reason) : state;
    return { state: 'failed', code, exitCode, ...at };
  }
  return { state: 'running', ...(state !== 'RUNNING' && { code: state }), ...at };
}

/**
 * Slurm's reason if it failed before it began, such as `BadConstraints`; otherwise the exit code is more informative.
 */
const whyFailed = (reason: string): string | undefined =>
  ['', 'None', 'NonZeroExitCode'].includes(reason) ? undefined : reason;

/** An array, with the name that it must have: a Slurm that has lost its state gives its number to another job. */
interface Asked extends JobRef {
  name: string;
}

/** The number of arrays that fit into a command line. */
const ARRAYS_AT_ONCE = 1000;

/** The records of Slurm's accounting, where it is on, about tasks that its controller has forgotten. */
export class Accounting {
  /** Ended tasks by job, such as `123_4`: they stay ended. */
  private readonly ended = new Map<string, Omit<JobState, 'job'>>();
  /** Jobs that it does not know either. */
  private readonly unknown = new Set<string>();

  /** @param run runs one of its commands and returns the output */
  constructor(private readonly run: (script: string) => Promise<string>) {}

  /** Adds missing states to `states`. */
  async complete(
    submissions: readonly Submission[],
    states: readonly Map<number, JobState>[],
  ): Promise<void> {
    const missing = submissions.flatMap((submission, i) =>
      submission.jobs.flatMap((ref) =>
        Array.from({ length: ref.count }, (_, k) => ({
          i,
          index: ref.first + k,
          array: { ...ref, name: jobName(submission, ref) },
          job: `${ref.id}_${k}`,
        })).filter(({ index }) => !states[i]!.has(index)),
      ),
    );
    const asked = missing.filter(({ job }) => !this.ended.has(job) && !this.unknown.has(job));
    const arrays = [...new Map(asked.map(({ array }) => [array.id, array])).values()];
    const jobs = new Set(asked.map(({ job }) => job));
    for (let at = 0; at < arrays.length; at += ARRAYS_AT_ONCE)
      await this.ask(arrays.slice(at, at + ARRAYS_AT_ONCE), jobs);
    for (const { job } of asked) if (!this.ended.has(job)) this.unknown.add(job);
    for (const { i, index, job } of missing) {
      const state = this.ended.get(job);
      if (state) states[i]!.set(index, { ...state, job });
    }
  }

  private async ask(arrays: readonly Asked[], jobs: ReadonlySet<string>): Promise<void> {
    const text = await this.run(
      `SLURM_BITSTR_LEN=0 sacct --noheader --parsable2 --allocations --format=JobID,State,ExitCode,NodeList,JobName --jobs=${arrays.map(({ id }) => id).join(',')}`,
    );
    const own = new Map(arrays.map((array) => [array.id, array]));
    const listed = new Map<string, Set<number>>();
    for (const line of text.split('\n')) {
      const [job = '', state = '', exitCode = '', node = '', name] = line.split('|');
      const [, array = '', tasks] = /^(\d+)_\[?([\d,:%-]+)\]?$/.exec(job) ?? [];
      const asked = own.get(array);
      // A line that was cut off names no job, and one of another array may be among them.
      if (tasks === undefined || !asked || asked.name !== name) continue;
      const known = listed.get(array) ?? new Set();
      listed.set(array, known);
      const found = stateOf({
        // "CANCELLED by 1000"
        state: state.split(' ')[0]!,
        reason: '',
        node: node.startsWith('None') ? '' : node,
        restarts: 0,
        exitCode: exitCodeOf(exitCode),
      });
      for (const task of parseTasks(tasks, asked.count)) {
        known.add(task);
        if (!isWithScheduler(found)) this.ended.set(`${array}_${task}`, found);
      }
    }
    // It has no lines for tasks of an array that were cancelled one by one before they began. Tasks that the controller
    // knows may get theirs later.
    for (const [array, known] of listed)
      for (let task = 0; task < own.get(array)!.count; task++) {
        const job = `${array}_${task}`;
        if (!known.has(task) && jobs.has(job)) this.ended.set(job, { state: 'cancelled' });
      }
  }
}

/**
 * `2:0`, of which sacct has subtracted 128 as after a signal. A trainer that the user has stopped exits with 130, and one that
 * a task starts never with 2, a mistake on the command line.
 */
function exitCodeOf(text: string): number {
  const code = Number(text.split(':')[0]) || 0;
  return code === EXIT.stopped - 128 ? EXIT.stopped : code;
}

/** The name of an array in Slurm. It contains the range of its tasks, so that it can be found after a kill. */
export const jobName = ({ name, tasks }: Submission, { first, count }: Omit<JobRef, 'id'>): string =>
  count === tasks.length ? name : `${name}.${first}-${first + count - 1}`;

/** The tasks of the submission that an array of this name has; undefined if it is not one of the submission's. */
export function tasksOfName(
  { name, tasks }: Pick<Submission, 'name' | 'tasks'>,
  job: string,
): Omit<JobRef, 'id'> | undefined {
  if (job === name) return { first: 0, count: tasks.length };
  const [, first, last] = job.startsWith(`${name}.`) ? (/\.(\d+)-(\d+)$/.exec(job) ?? []) : [];
  // The submission has no other tasks, whatever the name of a job.
  if (!(Number(first) <= Number(last)) || Number(last) >= tasks.length) return undefined;
  return { first: Number(first), count: Number(last) - Number(first) + 1 };
}
