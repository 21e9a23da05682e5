import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Submissions, unsubmitted } from '../../../../src/executors/cluster/submissions';
import type { TaskFile } from '../../../../src/runs/sweep/task';
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
  expect(submissions.read()).toEqual([]);
  const first = submissions.create(tasks, files, 2);
  expect(first.name).toMatch(/^aurora-1f0c9a42-1-[0-9a-f]{4}$/);
  expect(JSON.parse(readFileSync(join(first.folder, 'tasks', '2.json'), 'utf8'))).toEqual({ number: 3 });
  const some = submissions.submitted(first, { id: '17', first: 0, count: 2 });
  expect(unsubmitted(some)).toBe(1);
  const second = new Submissions(sweep);
  expect(second.read()).toEqual([some]);
  expect(second.create(tasks, files).folder).toBe(join(sweep, 'submissions', '2'));
});

it('removes what a killed process had not written whole', () => {
  const sweep = sweepFolder();
  const half = join(sweep, 'submissions', '4');
  mkdirSync(join(half, 'tasks'), { recursive: true });
  writeFileSync(join(half, 'tasks', '0.json'), '{');
  const submissions = new Submissions(sweep);
  expect(submissions.read()).toEqual([]);
  expect(existsSync(half)).toBe(false);
  expect(submissions.create(tasks, files).name).toContain('-5-');
});

it.each([
  ['another version', { version: 2 }],
  ['a run that is a path', { tasks: [{ ...tasks[0], run: '../x' }] }],
  ['a job that is an option', { jobs: [{ id: '-x', first: 0, count: 1 }] }],
  ['a name that is no label', { name: 'A b' }],
])('refuses %s', (_, change) => {
  const sweep = sweepFolder();
  const submissions = new Submissions(sweep);
  const path = join(submissions.create(tasks, files).folder, 'submission.json');
  const whole = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...whole, ...change }));
  expect(() => new Submissions(sweep).read()).toThrow('does not say what was submitted');
});
