import { describe, expect, it } from 'vitest';
import type { Submission } from '../../../../src/executors/cluster/scheduler';
import { parseQueue, tasksOfName } from '../../../../src/executors/slurm/slurm-queue';
import { TaskStates } from '../../../../src/executors/slurm/job-states';

const submission = (n: number, jobs: Submission['jobs']): Submission => ({
  name: 'aurora-1f-1-aa',
  folder: '/sweep/submissions/1',
  tasks: Array.from({ length: n }, (_, i) => ({ trial: `t${i}`, number: i + 1, run: `r${i}`, step: 0 })),
  jobs,
});
const line = (array: string, tasks: string, name: string, state: string, more = 'None||0|0:0') =>
  parseQueue(`${array}|${tasks}|${name}|${state}|${more}|`);
const MINUTE = 60_000;

describe('the states of tasks', () => {
  it('are by index in the submission, whatever array a task is in', () => {
    const split = submission(4, [
      { id: '7', first: 0, count: 2 },
      { id: '8', first: 2, count: 2 },
    ]);
    const lines = [
      ...line('7', '0-1', 'aurora-1f-1-aa.0-1', 'COMPLETED'),
      ...line('8', '0', 'aurora-1f-1-aa.2-3', 'RUNNING'),
      ...line('8', '1', 'aurora-1f-1-aa.2-3', 'PENDING'),
    ];
    const [states] = new TaskStates().read([split], lines, { now: 0, minJobAge: MINUTE });
    expect([...states!].map(([i, { state, job }]) => [i, state, job])).toEqual([
      [0, 'finished', '7_0'],
      [1, 'finished', '7_1'],
      [2, 'running', '8_0'],
      [3, 'queued', '8_1'],
    ]);
  });

  it('are those of the tasks that were submitted, however many the answer lists', () => {
    const three = submission(3, [{ id: '7', first: 0, count: 3 }]);
    const endless = line('7', '0-99999999999', three.name, 'RUNNING');
    const lines = Array.from({ length: 100_000 }, () => endless[0]!);
    const [states] = new TaskStates().read([three], lines, { now: 0, minJobAge: MINUTE });
    expect([...states!.keys()]).toEqual([0, 1, 2]);
  });

  it("are not those of another's job with the same number", () => {
    const one = submission(1, [{ id: '7', first: 0, count: 1 }]);
    const [states] = new TaskStates().read([one], line('7', '0', 'theirs', 'RUNNING'), {
      now: 0,
      minJobAge: MINUTE,
    });
    expect(states!.size).toBe(0);
  });

  it('are canceled for one that waited and is gone', () => {
    const states = new TaskStates();
    const two = submission(3, [{ id: '7', first: 0, count: 3 }]);
    states.submitted(two.jobs[0]!, 0);
    const look = (tasks: string, now: number) =>
      [...states.read([two], line('7', tasks, two.name, 'PENDING'), { now, minJobAge: MINUTE })[0]!].map(
        ([i, { state }]) => `${i} ${state}`,
      );
    expect(look('0-2', 0)).toEqual(['0 queued', '1 queued', '2 queued']);
    expect(look('0,2', 1000)).toEqual(['0 queued', '2 queued', '1 cancelled']);
    // It may have run and been forgotten in such a long time.
    expect(look('0', 40_000)).toEqual(['0 queued']);
  });

  it('are canceled for one that waited when another process looked, a moment ago', () => {
    const look = (ago: number) => {
      const states = new TaskStates();
      const three = submission(3, [
        { id: '7', first: 0, count: 1 },
        { id: '8', first: 1, count: 2 },
      ]);
      states.remember(three, [1, 2], MINUTE - ago);
      const lines = line('8', '0', `${three.name}.1-2`, 'PENDING');
      return states.read([three], lines, { now: MINUTE, minJobAge: MINUTE })[0]!.get(2)?.state;
    };
    expect(look(1000)).toBe('cancelled');
    expect(look(40_000)).toBeUndefined();
  });

  it('are canceled for all that are missing if that is what remains of the array', () => {
    const two = submission(2, [{ id: '7', first: 0, count: 2 }]);
    const lines = [...line('7', 'N/A', two.name, 'CANCELLED'), ...line('7', '0', two.name, 'COMPLETED')];
    const [states] = new TaskStates().read([two], lines, { now: 0, minJobAge: MINUTE });
    expect([...states!.values()].map(({ state }) => state)).toEqual(['finished', 'cancelled']);
  });

  it('are unknown for an array that Slurm has forgotten', () => {
    const states = new TaskStates();
    const two = submission(2, [{ id: '7', first: 0, count: 2 }]);
    states.submitted(two.jobs[0]!, 0);
    expect(states.read([two], [], { now: 0, minJobAge: MINUTE })[0]!.size).toBe(0);
  });

  it('are preempted for one that ran and waits again among others', () => {
    const states = new TaskStates();
    const two = submission(2, [{ id: '7', first: 0, count: 2 }]);
    const look = (...lines: ReturnType<typeof line>) =>
      [...states.read([two], lines, { now: 0, minJobAge: MINUTE })[0]!].map(([i, { state, restarts }]) => [
        i,
        state,
        restarts,
      ]);
    look(...line('7', '0', two.name, 'RUNNING'), ...line('7', '1', two.name, 'PENDING'));
    expect(look(...line('7', '0-1', two.name, 'PENDING'))).toEqual([
      [0, 'preempted', 1],
      [1, 'queued', undefined],
    ]);
  });
});

it.each(['0-99999999999', '2-1', '0-3', '9-9', '1-x'])(
  'no job of a submission has the tasks %s of three',
  (tasks) => {
    const three = submission(3, []);
    expect(tasksOfName(three, `${three.name}.${tasks}`)).toBeUndefined();
    expect(tasksOfName(three, `${three.name}.1-2`)).toEqual({ first: 1, count: 2 });
  },
);
