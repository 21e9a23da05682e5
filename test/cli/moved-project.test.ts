import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runPaths } from '../../src/runs/layout';
import { readRun } from '../read-run';
import { Lab } from './lab';

const outside = mkdtempSync(join(tmpdir(), 'aurora-outside-'));
const lab = new Lab({ training: { epochs: 1, evaluateEvery: 4, checkpointEvery: 4 } });
const before = lab.path('');
const after = join(outside, 'deep', 'moved');
afterAll(() => {
  lab.remove();
  rmSync(outside, { recursive: true, force: true });
});

/** An experiment in a folder of its own, with data beside that folder and some on "another disk". */
const base = JSON.parse(lab.read('tiny.aurora.json')) as Record<string, Record<string, unknown>>;
writeFileSync(join(outside, 'test.jsonl'), lab.read('validation.jsonl'));
base.model = { ...base.model, path: '../model.onnx' };
base.data = {
  train: '../train.jsonl',
  validation: '../validation.jsonl',
  test: join(outside, 'test.jsonl'),
};
lab.write('experiments/x.aurora.json', JSON.stringify(base));
const sweep = { parameters: { 'training.seed': [1, 2] }, type: 'grid' };
lab.write('experiments/s.aurora.json', JSON.stringify({ ...base, sweep }));

describe('a project whose folder was moved', () => {
  const file = (folder: string, name = 'x') => join(folder, `experiments/${name}.aurora.json`);
  const ended = lab.run('train', file(before));
  const stopped = lab.run('train', file(before), '--pause-at', 'step:4');
  const partly = lab.run('sweep', file(before, 's'), '--parallel', '1');
  mkdirSync(join(outside, 'deep'));
  renameSync(lab.folder, after);
  const [whole, half] = lab.runs(join(after, 'experiments/.aurora/runs/x'));

  it('was trained before', () => {
    expect([ended.code, stopped.code, partly.code], ended.err + stopped.err + partly.err).toEqual([
      0, 130, 0,
    ]);
    const paths = readFileSync(runPaths(whole!).spec, 'utf8');
    expect(paths).toContain(join(outside, 'test.jsonl'));
  });

  it.each<[string, string[]]>([
    ['resumes', ['train', '--resume', half!]],
    ['forks', ['train', '--fork', whole!, '--at', '8']],
    ['exports', ['export', whole!, '--as', 'onnx-merged']],
    ['predicts', ['errors', whole!]],
    ['studies', ['study', file(after)]],
  ])('%s its runs', (_, args) => {
    const r = lab.run(...args);
    expect([r.code, r.err]).toEqual([0, expect.not.stringContaining(before)]);
    expect(r.out + r.err).not.toContain('changed since');
  });

  it('answers in the playground', () => {
    const r = lab.type('a cat\n', 'play', whole!);
    expect([r.code, r.err]).toEqual([0, expect.anything()]);
  });

  it('continues its sweep with the trials that it had', () => {
    const text = readFileSync(file(after, 's'), 'utf8').replace('[1,2]', '[1,2,3]');
    writeFileSync(file(after, 's'), text);
    const r = lab.run('sweep', file(after, 's'), '--parallel', '1');
    expect([r.code, r.err]).toEqual([0, expect.anything()]);
    const runs = lab.runs(join(after, 'experiments/.aurora/runs/s'));
    expect(runs.map((run) => readRun(run).events.at(-1)?.kind)).toEqual(['finished', 'finished', 'finished']);
  });

  it('names exactly what cannot be found, and what to do', () => {
    renameSync(join(after, 'train.jsonl'), join(outside, 'taken.jsonl'));
    const r = lab.run('train', '--fork', whole!, '--at', '8');
    expect([r.code, r.err]).toEqual([
      25,
      expect.stringContaining(`The training data ${join(after, 'train.jsonl')} are missing.`),
    ]);
    expect(r.err).toContain('Put the files back as they were.');
    renameSync(join(outside, 'taken.jsonl'), join(after, 'train.jsonl'));
    renameSync(join(after, 'model.onnx'), join(outside, 'model.onnx'));
    const exported = lab.run('export', whole!, '--as', 'onnx-merged');
    expect(exported.code).not.toBe(0);
    expect(exported.err).toContain(join(after, 'model.onnx'));
    renameSync(join(outside, 'model.onnx'), join(after, 'model.onnx'));
  });
});
