import type { JobState } from '../cluster/scheduler';

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
