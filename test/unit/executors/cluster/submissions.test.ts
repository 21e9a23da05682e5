import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { gaps, isUncertain, unsubmitted } from '../../../../src/executors/cluster/submitted-trials';
import { Submissions } from '../../../../src/executors/cluster/submissions';
import type { TaskFile } from '../../../../src/runs/sweep/task-file';
import { scratchFolder } from '../../../scratch';

const home = scratchFolder('submissions');
let made = 0;

function sweepFolder(): string {
  const folder = join(home, String(made++), '1f0c9a42');
  mkdirSync(folder, { recursive: true });
  return folder;
}

const tasks = [1, 2, 3].map((number) => ({
  ...{ trial: `t${number}`, number, run: `run-${number}`, step: 0 },
}));
const files = tasks.map(({ number }) => ({ number }) as TaskFile);

it('records a submission with its tasks, and each job of it', () => {
  const sweep = sweepFolder();
  const submissions = new Submissions(sweep);
  expect(submissions.read().own).toEqual([]);
  const first = submissions.create(tasks, files, 2);
  expect(first.name).toMatch(/^aurora-1f0c9a42-1-[0-9a-f]{8}$/);
  expect(JSON.parse(readFileSync(join(first.folder, 'tasks', '2.json'), 'utf8'))).toEqual({ number: 3 });
  const begun = submissions.submitting(first, { name: 'one' });
  const some = submissions.submitted(begun, { id: '17', first: 0, count: 2 });
  expect([unsubmitted(some), isUncertain(some), some.cluster]).toEqual([1, true, { name: 'one' }]);
  const second = new Submissions(sweep);
  expect(second.read().own).toEqual([some]);
  const answered = second.answered(some);
  expect([unsubmitted(answered), isUncertain(answered)]).toEqual([1, false]);
  expect(new Submissions(sweep).read().own).toEqual([answered]);
  const withdrawn = second.withdrawn(answered);
  expect([unsubmitted(withdrawn), second.withdrawn(withdrawn)]).toEqual([0, withdrawn]);
  expect(new Submissions(sweep).read().own).toEqual([withdrawn]);
  expect(second.create(tasks, files).folder).toBe(join(sweep, 'submissions', '2'));
});

it('reads a log whose last line a crash has left unfinished, and continues it', () => {
  const sweep = sweepFolder();
  const submissions = new Submissions(sweep);
  const begun = submissions.submitting(submissions.create(tasks, files), { name: 'one' });
  const log = join(begun.folder, 'jobs.jsonl');
  appendFileSync(log, '{"job":{"id":"17","fir');
  const [read] = new Submissions(sweep).read().own;
  expect(read).toEqual(begun);
  submissions.submitted(read!, { id: '17', first: 0, count: 3 });
  expect(new Submissions(sweep).read().own[0]!.jobs).toEqual([{ id: '17', first: 0, count: 3 }]);
});

it('finds the tasks that are in no job, in whatever order jobs were found', () => {
  const jobs = [
    { id: '2', first: 5, count: 2 },
    { id: '1', first: 1, count: 2 },
  ];
  const nine = Array.from({ length: 9 }, () => tasks[0]!);
  expect(gaps({ tasks: nine, jobs })).toEqual([
    { first: 0, count: 1 },
    { first: 3, count: 2 },
    { first: 7, count: 2 },
  ]);
});

it('removes what a killed process had not written whole', () => {
  const sweep = sweepFolder();
  const half = join(sweep, 'submissions', '4');
  mkdirSync(join(half, 'tasks'), { recursive: true });
  writeFileSync(join(half, 'tasks', '0.json'), '{');
  const submissions = new Submissions(sweep);
  expect(submissions.read().own).toEqual([]);
  expect(existsSync(half)).toBe(false);
  expect(submissions.create(tasks, files).name).toContain('-5-');
});

it.each([
  ['another version', { version: 2 }],
  ['a run that is a path', { tasks: [{ ...tasks[0], run: '../x' }] }],
  ['a name that is no label', { name: 'A b' }],
])('refuses %s', (_, change) => {
  const sweep = sweepFolder();
  const submissions = new Submissions(sweep);
  const path = join(submissions.create(tasks, files).folder, 'submission.json');
  const whole = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...whole, ...change }));
  expect(() => new Submissions(sweep).read()).toThrow('does not say what was submitted');
});

it.each([
  ['a job that is an option', '{"job":{"id":"-x","first":0,"count":1},"at":1}'],
  ['more tasks than it has', '{"job":{"id":"7","first":0,"count":99999999999},"at":1}'],
  ['tasks before the first', '{"job":{"id":"7","first":-1,"count":1},"at":1}'],
  ['a line of another version', '{"moved":true}'],
  ['a line that is not JSON', '{'],
])('refuses %s in the log', (_, line) => {
  const sweep = sweepFolder();
  const { folder } = new Submissions(sweep).create(tasks, files);
  writeFileSync(join(folder, 'jobs.jsonl'), `${line}\n`);
  expect(() => new Submissions(sweep).read()).toThrow('does not say what was submitted');
});
