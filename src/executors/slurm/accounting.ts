import type { JobState, Submission } from '../cluster/scheduler';
import { parseTasks, stateOf } from './queue';

/** What Slurm's accounting knows about tasks that its controller has forgotten, where it is on. */
export class Accounting {
  /** By job, such as `123_4`: what has ended stays so. */
  private readonly ended = new Map<string, Omit<JobState, 'job'>>();
  /** Jobs that it does not know either. */
  private readonly unknown = new Set<string>();

  /** @param run runs one of its commands and returns what it prints */
  constructor(private readonly run: (script: string) => Promise<string>) {}

  /** Adds what is missing in `states`. */
  async complete(
    submissions: readonly Submission[],
    states: readonly Map<number, JobState>[],
  ): Promise<void> {
    const missing = submissions.flatMap(({ jobs }, i) =>
      jobs.flatMap(({ id, first, count }) =>
        Array.from({ length: count }, (_, k) => ({
          i,
          index: first + k,
          array: id,
          job: `${id}_${k}`,
        })).filter(({ index }) => !states[i]!.has(index)),
      ),
    );
    const asked = missing.filter(({ job }) => !this.ended.has(job) && !this.unknown.has(job));
    if (asked.length > 0) {
      await this.ask([...new Set(asked.map(({ array }) => array))]);
      for (const { job } of asked) if (!this.ended.has(job)) this.unknown.add(job);
    }
    for (const { i, index, job } of missing) {
      const state = this.ended.get(job);
      if (state) states[i]!.set(index, { ...state, job });
    }
  }

  private async ask(arrays: readonly string[]): Promise<void> {
    const text = await this.run(
      `sacct --noheader --parsable2 --allocations --format=JobID,State,ExitCode,NodeList --jobs=${arrays.join(',')}`,
    );
    for (const line of text.split('\n')) {
      const [job = '', state = '', exitCode = '', node = ''] = line.split('|');
      const [, array, tasks] = /^(\d+)_\[?([\d,:%-]+)\]?$/.exec(job) ?? [];
      if (array === undefined) continue;
      const found = stateOf({
        // "CANCELLED by 1000"
        state: state.split(' ')[0]!,
        reason: '',
        node: node.startsWith('None') ? '' : node,
        restarts: 0,
        exitCode: Number(exitCode.split(':')[0]) || 0,
      });
      if (found.state === 'queued' || found.state === 'running') continue;
      for (const task of parseTasks(tasks!)) this.ended.set(`${array}_${task}`, found);
    }
  }
}
