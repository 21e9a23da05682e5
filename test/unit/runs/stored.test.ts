import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import type { Experiment } from '../../../src/experiment/experiment';
import { withPaths } from '../../../src/experiment/paths';
import { hubCacheFolder } from '../../../src/files/hub-cache';
import { loadExperiment } from '../../../src/runs/experiment/load';
import { readInputs, writeInputs } from '../../../src/runs/inputs';
import { createRun, experimentRuns, runPaths } from '../../../src/runs/layout';
import { readRunSummary } from '../../../src/runs/run-summary';
import { writeSpec } from '../../../src/runs/stored-spec';
import { readSweep, writeSweep, type SweepRecord } from '../../../src/runs/sweep/record';
import { specHash } from '../../../src/training/checkpoint/checkpoint';
import { scratchFolder } from '../../scratch';
import { spec } from '../extension/run-maker';

const scratch = scratchFolder('stored');
const PLAN: SweepRecord = {
  ...{
    version: 1,
    begun: 0,
    name: 'x',
    overrides: [],
    metric: 'loss',
    baseHash: '0',
    varied: [],
    trials: [],
  },
  spec: { type: 'grid', parameters: {} } as unknown as SweepRecord['spec'],
};
const cached = (name: string) =>
  join(hubCacheFolder(), 'models--org--name', 'snapshots', 'a'.repeat(40), ...name.split('/'));

/** A run of proj/experiments/x.aurora.json, and what moves with the folder proj. */
function project(name: string): { run: string; spec: Experiment } {
  const at = join(scratch, name, 'proj');
  const run = createRun(experimentRuns(join(at, 'experiments', 'x.aurora.json')));
  const files: Experiment = {
    ...spec,
    model: { ...spec.model, path: cached('config.json'), tokenizer: join(at, 'experiments/tokenizer.json') },
    data: { ...spec.data, train: join(at, 'data/train-*.csv'), validation: '/other/disk/validation.csv' },
  };
  return { run, spec: files };
}

it('a run and its inputs are found after their project was moved; what lies elsewhere stays where it was', () => {
  const { run, spec: before } = project('one');
  writeSpec(run, before);
  const sum = 'a'.repeat(64);
  const input = (path: string) => ({ role: 'train' as const, path, size: 1, sha256: sum });
  const names = [
    join(scratch, 'one/proj/data/train-1.csv'),
    join(scratch, 'one/proj/experiments/tokenizer.json'),
  ];
  const files = [...names, '/other/disk/validation.csv'].map(input);
  writeInputs(run, { version: 1, since: 2, files, earlier: [{ since: 0, files }] });
  const sweep = join(dirname(dirname(dirname(run))), 'sweeps/x/s');
  mkdirSync(sweep, { recursive: true });
  writeSweep(sweep, { ...PLAN, inputs: files });
  expect(readRunSummary(run).spec).toMatchObject({ model: before.model, data: before.data });
  expect(readInputs(run)?.files.map(({ path }) => path)).toEqual(files.map(({ path }) => path));

  const text = readFileSync(runPaths(run).spec, 'utf8');
  expect(text).toContain('"../../../../tokenizer.json"');
  expect(text).toContain(`"hf://org/name@${'a'.repeat(40)}/config.json"`);

  mkdirSync(join(scratch, 'other/deep'), { recursive: true });
  renameSync(join(scratch, 'one/proj'), join(scratch, 'other/deep/moved'));
  const there = (path: string) => path.replace(join(scratch, 'one/proj'), join(scratch, 'other/deep/moved'));
  const { spec: after } = readRunSummary(there(run));
  expect(after.model).toMatchObject({ ...before.model, tokenizer: there(before.model.tokenizer) });
  expect(after.data).toMatchObject({ ...before.data, train: there(before.data.train) });
  expect(loadExperiment(runPaths(there(run)).spec).data.train).toBe(after.data.train);
  // Checkpoints of the run belong to it still.
  const back = (path: string) => path.replace(join(scratch, 'other/deep/moved'), join(scratch, 'one/proj'));
  expect(specHash(withPaths(after, back))).toBe(specHash(after));
  const record = readInputs(there(run))!;
  for (const found of [record.files, record.earlier![0]!.files, readSweep(there(sweep))!.inputs!])
    expect(found.map(({ path }) => path)).toEqual(files.map(({ path }) => there(path)));
});

it('a copy of a project that is still there leads to its own files', () => {
  const { run, spec: before } = project('first');
  writeSpec(run, before);
  mkdirSync(join(scratch, 'second'));
  renameSync(join(scratch, 'first/proj'), join(scratch, 'second/proj'));
  const copy = run.replace(`${scratch}/first`, `${scratch}/second`);
  expect(readRunSummary(copy).spec.data.train).toBe(join(scratch, 'second/proj/data/train-*.csv'));
});

it.each(['../elsewhere/deep/er/run', '../run', '.aurora/recovered/run'])(
  'a run that is moved by itself to %s leads to the files of its project',
  (name) => {
    const { run, spec: before } = project(`alone${name.length}`);
    writeSpec(run, before);
    const path = before.data.train;
    writeInputs(run, { version: 1, since: 0, files: [{ role: 'train', path, size: 0, sha256: null }] });
    const to = join(dirname(dirname(dirname(dirname(run)))), name);
    mkdirSync(dirname(to), { recursive: true });
    renameSync(run, to);
    expect(readRunSummary(to).spec).toMatchObject({ model: before.model, data: before.data });
    expect(readInputs(to)?.files.map((file) => file.path)).toEqual([path]);
  },
);
