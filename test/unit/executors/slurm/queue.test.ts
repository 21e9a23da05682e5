import { describe, expect, it } from 'vitest';
import {
  parseQueue,
  parseTasks,
  queueCommand,
  stateOf,
  tasksText,
} from '../../../../src/executors/slurm/slurm-queue';

describe('tasks of an array', () => {
  it.each([
    ['4', [4]],
    ['0-3', [0, 1, 2, 3]],
    ['2,5-6%2', [2, 5, 6]],
    ['1-7:3', [1, 4, 7]],
    ['N/A', []],
    ['3-1', []],
  ])('%s', (text, tasks) => expect(parseTasks(text)).toEqual(tasks));

  it('are written as ranges', () => {
    expect(tasksText([7, 0, 1, 2, 2, 9, 10])).toBe('0-2,7,9-10');
    expect(tasksText([])).toBe('');
  });

  it('are ten thousand in one line', () => {
    const [line] = parseQueue('7|0-9999%50|aurora|PENDING|Priority||0|0:0|\n');
    expect(parseTasks(line!.tasks, 10_000)).toHaveLength(10_000);
  });

  it.each([
    '0-99999999999',
    '0-99999999999:1',
    '5-1e9',
    `0-${'9'.repeat(400)}`,
    '0-99999999999,'.repeat(1000),
  ])('are no more than the array has: %.40s', (text) => {
    expect(parseTasks(text).length).toBeLessThanOrEqual(4_000_001);
    expect(parseTasks(text, 3).length).toBeLessThanOrEqual(3);
  });

  it('are not read from a line whose number is something else', () => {
    expect(parseQueue("7'; touch x; '|0|aurora|PENDING|Priority||0|0:0|\n")).toEqual([]);
  });
});

describe('what squeue prints', () => {
  // As Slurm 24.11 prints it.
  const TEXT = `11|2-5%2|aurora-1f-3-5d3e.1000-1999|PENDING|JobArrayTaskLimit||0|0:0|
11|0|aurora-1f-3-5d3e.1000-1999|RUNNING|None|n1|1|0:0|
11|N/A|aurora-1f-3-5d3e.1000-1999|CANCELLED|JobArrayTaskLimit||0|0:0|
12|1|other|FAILED|NonZeroExitCode|n2|0|130:0|
`;

  it('is read line by line', () => {
    expect(parseQueue(TEXT)).toMatchObject([
      { array: '11', tasks: '2-5%2', state: 'PENDING', reason: 'JobArrayTaskLimit' },
      { array: '11', tasks: '0', state: 'RUNNING', node: 'n1', restarts: 1 },
      { array: '11', tasks: 'N/A', state: 'CANCELLED' },
      { array: '12', tasks: '1', exitCode: 130 },
    ]);
    expect(parseQueue('slurm_load_jobs error\n\n')).toEqual([]);
  });

  it('is asked for by name', () => {
    expect(queueCommand(['a', 'b'])).toContain(' --name=a,b ');
    expect(queueCommand([])).not.toContain('--name');
  });

  it.each([
    ['PENDING', { reason: 'Priority' }, { state: 'queued', code: 'Priority' }],
    ['PENDING', { reason: 'BeginTime', restarts: 2 }, { state: 'preempted', code: 'BeginTime', restarts: 2 }],
    ['RUNNING', { node: 'n1' }, { state: 'running', node: 'n1' }],
    ['COMPLETING', { node: 'n1' }, { state: 'running', code: 'COMPLETING', node: 'n1' }],
    ['COMPLETED', { node: 'n1' }, { state: 'finished', exitCode: 0, node: 'n1' }],
    ['CANCELLED', { exitCode: 75, reason: 'JobArrayTaskLimit' }, { state: 'cancelled', exitCode: 75 }],
    ['FAILED', { exitCode: 12, reason: 'NonZeroExitCode' }, { state: 'failed', exitCode: 12 }],
    ['FAILED', { reason: 'BadConstraints' }, { state: 'failed', code: 'BadConstraints', exitCode: 0 }],
    ['TIMEOUT', {}, { state: 'failed', code: 'TIMEOUT', exitCode: 0 }],
    ['NODE_FAIL', {}, { state: 'lost', code: 'NODE_FAIL' }],
    // A state of a future Slurm does not count as an end.
    ['HIBERNATING', {}, { state: 'running', code: 'HIBERNATING' }],
  ])('%s', (state, given, expected) =>
    expect(stateOf({ state, reason: 'None', node: '', restarts: 0, exitCode: 0, ...given })).toEqual(
      expected,
    ),
  );
});
