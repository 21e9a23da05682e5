import { expect, it } from 'vitest';
import type { JobRef, JobState } from '../../../../src/executors/cluster/scheduler';
import { Accounting } from '../../../../src/executors/slurm/slurm-queue';

/** As Slurm 24.11 with slurmdbd printed it; only the last lines were not seen there, and are as Slurm documents them. */
const PRINTED = `1_0|COMPLETED|0:0|node1|NAME
1_1|FAILED|2:0|node1|NAME
1_2|FAILED|9:0|node1|NAME
3_[0,4-5]|CANCELLED by 0|0:0|None assigned|NAME
7_0|CANCELLED by 0|0:0|node1|NAME
7_1|RUNNING|0:0|node1|NAME
7_[2-3]|PENDING|0:0|None assigned|NAME
14_0|PREEMPTED|0:0|node1|NAME
16_0|TIMEOUT|0:0|node1|NAME
17_0|NODE_FAIL|1:0|node1|NAME
19_[1-399:2%3]|PENDING|0:0|None assigned|NAME
1_3|COMPLETED|0:0|node1|NAME
30_0|OUT_OF_MEMORY|0:125|node1|NAME
30_1|REQUEUED|0:0|node1|NAME
30_2|DEADLINE|0:0|None assigned|NAME
`;

const NAME = 'aurora-1f0c9a42-1-00ff00ff';

/** The states after one look at a submission of one array, of which the controller knows nothing. */
async function stateOf(id: string, count: number, printed = PRINTED.replaceAll('NAME', NAME)) {
  const scripts: string[] = [];
  const accounting = new Accounting((script) => {
    scripts.push(script);
    return Promise.resolve(printed);
  });
  const tasks = Array.from({ length: count }, (_, i) => ({
    ...{ trial: `t${i}`, number: i + 1, run: `r${i}`, step: 0 },
  }));
  const submission = { name: NAME, folder: '/s', tasks, jobs: [{ id, first: 0, count }] };
  const states = new Map<number, JobState>();
  await accounting.complete([submission], [states]);
  // Tasks that have ended, and unknown ones, are asked for once.
  await accounting.complete([submission], [new Map()]);
  expect(scripts).toHaveLength(1);
  return Object.fromEntries(states);
}

it('says how tasks have ended, and when the user has stopped one', async () => {
  expect(await stateOf('1', 4)).toEqual({
    0: { state: 'finished', exitCode: 0, node: 'node1', job: '1_0' },
    1: { state: 'failed', exitCode: 130, node: 'node1', job: '1_1' },
    2: { state: 'failed', exitCode: 9, node: 'node1', job: '1_2' },
    // Its first attempt, which was requeued, is not listed.
    3: { state: 'finished', exitCode: 0, node: 'node1', job: '1_3' },
  });
});

it('knows tasks that were cancelled before they began, also those that have no line', async () => {
  const states = await stateOf('3', 6);
  expect(Object.values(states).map(({ state, job, node }) => [state, job, node])).toEqual(
    Array.from({ length: 6 }, (_, i) => ['cancelled', `3_${i}`, undefined]),
  );
});

it('does not say that something has ended which it last saw waiting or running', async () => {
  expect(await stateOf('7', 4)).toEqual({
    0: { state: 'cancelled', exitCode: 0, node: 'node1', job: '7_0' },
  });
});

it.each([
  ['14', { state: 'lost', code: 'PREEMPTED' }],
  ['16', { state: 'failed', code: 'TIMEOUT' }],
  ['17', { state: 'lost', code: 'NODE_FAIL' }],
])('says why Slurm has ended task %s_0', async (id, state) => {
  expect((await stateOf(id, 1))[0]).toMatchObject({ ...state, node: 'node1' });
});

it('reads the documented states, of which a requeued task has not ended', async () => {
  expect(await stateOf('30', 3)).toMatchObject({
    0: { state: 'failed', code: 'OUT_OF_MEMORY' },
    2: { state: 'failed', code: 'DEADLINE' },
  });
  expect(Object.keys(await stateOf('30', 3))).toEqual(['0', '2']);
});

it('believes nothing about an array of another name, or one that it does not know', async () => {
  expect(await stateOf('1', 4, PRINTED.replaceAll('NAME', 'another'))).toEqual({});
  expect(await stateOf('99', 2)).toEqual({});
  expect(await stateOf('99', 2, '')).toEqual({});
});

it('asks for ten thousand arrays in commands of bounded length', async () => {
  const jobs = Array.from({ length: 10_000 }, (_, i): JobRef => ({
    id: String(1e7 + i),
    first: i,
    count: 1,
  }));
  const tasks = jobs.map((_, i) => ({ trial: `t${i}`, number: i + 1, run: `r${i}`, step: 0 }));
  const scripts: string[] = [];
  const accounting = new Accounting((script) => {
    scripts.push(script);
    return Promise.resolve('');
  });
  await accounting.complete([{ name: NAME, folder: '/s', tasks, jobs }], [new Map()]);
  expect(scripts).toHaveLength(10);
  expect(Math.max(...scripts.map(({ length }) => length))).toBeLessThan(64 * 1024);
});

it('does not take a task for cancelled that the controller knows, and that it has no line of yet', async () => {
  let printed = `5_0|COMPLETED|0:0|node1|${NAME}\n`;
  const accounting = new Accounting(() => Promise.resolve(printed));
  const tasks = ['a', 'b'].map((trial, i) => ({ trial, number: i + 1, run: trial, step: 0 }));
  const submission = { name: NAME, folder: '/s', tasks, jobs: [{ id: '5', first: 0, count: 2 }] };
  await accounting.complete([submission], [new Map([[1, { state: 'running', job: '5_1' }]])]);
  printed += `5_1|NODE_FAIL|1:0|node1|${NAME}\n`;
  const states = new Map<number, JobState>();
  await accounting.complete([submission], [states]);
  expect([...states.values()].map(({ state }) => state)).toEqual(['finished', 'lost']);
});

it('knows nothing from a line that was cut off, of whichever array', async () =>
  expect(await stateOf('1', 1, '2_0|COMPLETED|0:0|node1\n1_0|COMPLETED|0:0')).toEqual({}));
