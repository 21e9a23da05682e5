import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runPaths } from '../../src/runs/layout';
import { changeUser } from '../../src/runs/user';
import { evaluated, finished, makeRun, metrics, spec, started } from '../unit/extension/run-maker';
import { Lab } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());

const folder = lab.path('many');
mkdirSync(folder);
const file = join(folder, 'demo.aurora.json');
writeFileSync(file, '{}');
const make = (seed: number, learningRate: number, accuracy: number) =>
  makeRun(file, {
    at: new Date(Date.UTC(2026, 0, 1, 0, seed)),
    spec: { ...spec, training: { ...spec.training, seed, learningRate } },
    events: [started, evaluated(40, accuracy), finished(40, accuracy)],
    status: { state: 'finished', step: 40 },
    result: { steps: 40, best: { ...metrics(accuracy), step: 40 }, last: metrics(accuracy) },
  });
const runs = [make(1, 1e-3, 0.8), make(2, 1e-3, 0.9), make(3, 1e-2, 0.5)];
changeUser(runs[1], { name: 'the best one', tags: ['good'] });

const json = (...args: string[]) => JSON.parse(lab.run('runs', ...args, '--json').out);

describe('aurora runs', () => {
  it('lists the runs of a workspace, an experiment and a folder of runs, with what differs', () => {
    const { code, out } = lab.run('runs', folder);
    expect(code).toBe(0);
    expect(out.split('\n')[0]).toMatch(/^Run +State +accuracy +loss +learningRate +seed/);
    expect(out).toMatch(/the best one +finished +90\.0%/);
    // As in the editor: what differs among the experiment's runs, also for a part of them.
    expect(out).toMatch(/#3 lr 1e-2 · seed 3 +finished/);
    expect(json(runs[0], '--columns', 'name').rows[0].name).toBe('#1 lr 1e-3 · seed 1');
    expect(out).toContain('3 runs');
    for (const path of [file, join(folder, '.aurora/runs/demo')])
      expect(json(path).rows.map((r: { folder: string }) => basename(r.folder))).toEqual(
        runs.map((r) => basename(r)),
      );
  });

  it('filters, sorts, groups and chooses columns', () => {
    const found = json(
      folder,
      '--filter',
      'accuracy > 0.6 and seed <= 2',
      '--sort',
      'accuracy',
      '--columns',
      'accuracy,tag',
    );
    expect(found.rows).toEqual([
      { folder: runs[1], accuracy: 0.9, tags: ['good'] },
      { folder: runs[0], accuracy: 0.8, tags: null },
    ]);
    const { groups } = json(folder, '--group-by', 'lr', '--columns', 'accuracy');
    expect(groups.map((g: { values: number[]; runs: number }) => [g.values[0], g.runs])).toEqual([
      [0.001, 2],
      [0.01, 1],
    ]);
    expect(groups[0].summaries.accuracy.mean).toBeCloseTo(0.85);
    expect(lab.run('runs', folder, '--group-by', 'lr').out).toMatch(/85\.0% ± 7\.1%/);
    expect(lab.run('runs', folder, '--csv', '--columns', 'name,accuracy').out.split('\r\n')[2]).toBe(
      `#2 the best one,0.9,${runs[1]}`,
    );
  });

  it('names the place of an error in a filter, and an unknown column', () => {
    const { code, err } = lab.run('runs', folder, '--filter', 'accuracy > and seed = 2');
    expect(code).toBe(2);
    expect(err).toContain('--filter, character 12: Expected a value instead of "and".');
    expect(err).toContain('accuracy > ➜and seed = 2');
    expect(lab.run('runs', folder, '--sort', 'acuracy').err).toContain('Did you mean "accuracy"?');
    expect(lab.run('runs', lab.path('missing')).code).toBe(20);
  });

  it.each([
    ['{', 'is not valid JSON'],
    ['{}', 'is not the experiment of a run: model is missing'],
    ['[]', 'is not the experiment of a run'],
  ])('lists a run that cannot be read and says why: %s', (text, problem) => {
    writeFileSync(runPaths(runs[0]).spec, text);
    const { code, out, err } = lab.run('runs', folder);
    expect(code).toBe(0);
    expect(out).toMatch(/damaged/);
    expect(err).toContain(`warning: ${runPaths(runs[0]).spec} ${problem}`);
    expect(json(folder).unreadable).toHaveLength(1);
  });
});
