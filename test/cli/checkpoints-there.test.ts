import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ClusterFile } from '../../src/protocol/run-files/cluster';
import { Lab } from './lab';

/** A run as it comes from a cluster that shares no folder: without its checkpoints. */
const lab = new Lab({ training: { epochs: 1, checkpointEvery: 5, evaluateEvery: 6 } });
const sweep = '.aurora/sweeps/tiny/1f0c9a42/cluster.json';
const cluster: ClusterFile = {
  ...{ version: 1, executor: 'slurm', place: 'login', at: 1, keepsCheckpoints: true },
  trials: { t: { state: 'finished', job: '1_0', collected: true } },
};
let run: string;

beforeAll(() => {
  const trained = lab.run('train', lab.experiment, '--device', 'cpu', '--threads', '1');
  expect([0, 27], trained.err).toContain(trained.code);
  [run] = lab.runs(lab.path('.aurora/runs/tiny')) as [string];
  renameSync(join(run, 'checkpoints'), lab.path('there'));
  const name = run.slice(lab.folder.length + 1);
  lab.write(`${name}/trial.json`, JSON.stringify({ sweep: '1f0c9a42', trial: 't', number: 3, settings: {} }));
  lab.write(sweep, JSON.stringify(cluster));
});
afterAll(() => lab.remove());

const bring = `\`aurora sweep ${lab.experiment} --checkpoints 3\` brings them.`;

it.each([
  ['a fork', ['train', '--fork', () => run, '--at', '5'], 'has no checkpoint of step 5'],
  ['a look at an earlier step', ['errors', () => run, '--at', '5'], 'has no checkpoint of step 5'],
  ['a study that measures', ['study', lab.experiment, '--measure'], 'has no checkpoints'],
])('%s says what brings its checkpoints', (_, args, message) => {
  const { code, out, err } = lab.run(...args.map((arg) => (typeof arg === 'string' ? arg : arg())));
  expect(code).toBe(args[0] === 'study' ? 0 : 20);
  expect(out + err).toContain(message);
  expect(out + err).toContain(bring);
});

it('a study measures what it can without them', () => {
  const { out } = lab.run('study', lab.experiment);
  expect(out).toContain('singular values of ΔW');
  expect(out).not.toContain('per-example predictions');
});

it('the best adapter needs none', () => {
  const { code, err } = lab.run('errors', run);
  expect(code, err).toBe(0);
});

it('is not resumed from the beginning', () => {
  const journal = readFileSync(join(run, 'events.jsonl'));
  const status = JSON.parse(lab.read(`${run.slice(lab.folder.length + 1)}/status.json`)) as object;
  const name = run.slice(lab.folder.length + 1);
  const lines = journal
    .toString()
    .trim()
    .split('\n')
    .filter((line) => !line.includes('"finished"'));
  lab.write(`${name}/events.jsonl`, `${lines.join('\n')}\n`);
  lab.write(`${name}/status.json`, JSON.stringify({ ...status, state: 'stopped' }));
  renameSync(join(run, 'result.json'), lab.path('result.json'));
  const resumed = lab.run('train', '--resume', run);
  expect([resumed.code, resumed.err]).toEqual([20, expect.stringContaining('would start over')]);
  expect(resumed.err).toContain(bring);
  expect(existsSync(join(run, 'checkpoints'))).toBe(false);
  expect(lab.read(`${name}/events.jsonl`)).toBe(`${lines.join('\n')}\n`);
});

it('that has none there, either, does not send anybody to the cluster', () => {
  lab.write(sweep, JSON.stringify({ ...cluster, keepsCheckpoints: undefined }));
  const { err } = lab.run('train', '--fork', run, '--at', '5');
  expect(err).toContain('It has no checkpoints');
});
