import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createRun } from '../../src/runs/layout';
import { readRun } from '../read-run';
import { Lab } from './lab';

// Evaluations at 10, 20, …, additional checkpoints at 3, 6, …; 12 steps per epoch, 48 in total.
const lab = new Lab({ adapter: { dropout: 0.1 } });
afterAll(() => lab.remove());
const out = lab.path('runs');
const done = lab.run('train', lab.experiment, '--out', out);
const [original] = lab.runs(out);

/** The columns that do not depend on the clock or on the machine's memory. */
const COLUMNS = ['step', 'loss', 'learningRate', 'gradientNorm', 'examples', 'tokens'];
const curve = (run: string): number[][] => {
  const { scalars } = readRun(run);
  return COLUMNS.map((c) => [...scalars.column(c)!]);
};
const file = (run: string, ...path: string[]) => readFileSync(join(run, ...path));
const metrics = (run: string) => {
  const { best, last, steps, outcome } = readRun(run).result as Record<string, unknown>;
  return { best, last, steps, outcome };
};
const evaluations = (run: string) =>
  readRun(run).events.flatMap((e) => (e.kind === 'evaluation' ? [{ step: e.step, ...e.metrics }] : []));

function fork(step: number, ...set: string[]): string {
  const before = new Set(lab.runs(out));
  const r = lab.run('train', '--fork', original, '--at', String(step), ...set.flatMap((s) => ['--set', s]));
  expect([r.code, r.err]).toEqual([0, expect.stringContaining(`Resuming at step ${step}`)]);
  return lab.runs(out).find((run) => !before.has(run))!;
}
const refused = (step: number, ...set: string[]) =>
  lab.run('train', '--fork', original, '--at', String(step), ...set.flatMap((s) => ['--set', s]));

describe('a fork', () => {
  it('starts from a finished run', () => expect([done.code, done.err]).toEqual([0, expect.anything()]));

  it.each([21, 30])('of step %i without changes repeats the curve bit for bit', (step) => {
    const run = fork(step);
    expect(curve(run)).toEqual(curve(original));
    expect(evaluations(run)).toEqual(evaluations(original));
    expect(metrics(run)).toEqual(metrics(original));
    for (const which of ['best', 'last'])
      for (const name of readdirSync(join(original, 'adapter', which)))
        expect(file(run, 'adapter', which, name)).toEqual(file(original, 'adapter', which, name));
    for (const name of ['adapter.safetensors', 'optimizer.safetensors'])
      expect(file(run, 'checkpoints/step-000048', name)).toEqual(
        file(original, 'checkpoints/step-000048', name),
      );
    expect(readdirSync(join(run, 'activations')).sort()).toEqual(
      readdirSync(join(original, 'activations')).sort(),
    );
    expect(file(run, 'samples.json')).toEqual(file(original, 'samples.json'));
    expect(file(run, 'activations/step-000048.bin')).toEqual(file(original, 'activations/step-000048.bin'));
  });

  it('keeps the history, records its origin and continues with its own settings', () => {
    const run = fork(21, 'training.learningRate=0.001', 'training.epochs=5', 'adapter.dropout=0');
    const { events, spec, status } = readRun(run);
    expect(events[0]).toMatchObject({ kind: 'forked', seq: 0, fromRun: basename(original), fromStep: 21 });
    expect((events[0] as { changed: unknown }).changed).toEqual([
      { key: 'adapter.dropout', from: 0.1, to: 0 },
      { key: 'training.epochs', from: 4, to: 5 },
      { key: 'training.learningRate', from: 0.01, to: 0.001 },
      // It was not set, so it still follows the learning rate.
      { key: 'training.headLearningRate', from: 0.01, to: 0.001 },
    ]);
    expect(events[1]).toMatchObject({ kind: 'started', steps: 60, epochs: 5 });
    expect(events.filter((e) => e.kind === 'started')).toHaveLength(1);
    expect(spec.training).toMatchObject({ learningRate: 0.001, headLearningRate: 0.001, epochs: 5 });
    expect(status).toMatchObject({ state: 'finished', step: 60, steps: 60 });
    const [mine, other] = [curve(run), curve(original)];
    expect(mine[0]).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    for (const i of COLUMNS.keys()) expect(mine[i].slice(0, 21)).toEqual(other[i].slice(0, 21));
    expect(mine[1][21]).not.toBe(other[1][21]);
  });

  it('can change the metric, early stopping, schedule, weight decay, clipping and evaluation', () => {
    const run = fork(
      30,
      'training.metric=loss',
      'training.earlyStopping={"patience":50}',
      'training.schedule=cosine',
      'training.weightDecay=0.1',
      'training.maxGradientNorm=0.5',
      'training.evaluateEvery=6',
    );
    const steps = evaluations(run).map((e) => e.step);
    expect(steps).toEqual([10, 20, 30, 36, 42, 48]);
    const all = evaluations(run);
    const best = all.reduce((a, b) => (b.loss < a.loss ? b : a));
    expect(metrics(run).best).toMatchObject({ step: best.step, loss: best.loss });
    // By the fork's metric, even if the original run used another.
    const better = all.map((e, i) => all.slice(0, i).every((before) => e.loss < before.loss));
    expect(readRun(run).events.flatMap((e) => (e.kind === 'evaluation' ? [e.best] : []))).toEqual(better);
  });

  it('can train into an existing folder', () => {
    const run = createRun(lab.path('given'));
    const r = lab.run('train', '--fork', original, '--at', '30', '--run', run);
    expect(r.code).toBe(0);
    expect(readRun(run).status?.state).toBe('finished');
    expect(curve(run)).toEqual(curve(original));
  });

  it.each([
    ['training.batchSize=4', 'training.batchSize'],
    ['training.gradientAccumulation=2', 'training.gradientAccumulation'],
    ['adapter.rank=4', 'adapter.rank'],
    ['adapter.targetModules=["query"]', 'adapter.targetModules'],
    ['model.maxLength=8', 'model.maxLength'],
    ['data.onBadRow=skip', 'data.onBadRow'],
    ['task.pooling=first-token', 'task.pooling'],
  ])('rejects %s and names the setting', (set, key) => {
    const r = refused(21, set);
    expect(r.code).toBe(2);
    expect(r.err).toMatch(
      new RegExp(`error: A fork cannot change ${key.replace('.', '\\.')}: .+\\.\n {7}\\S`),
    );
  });

  it('rejects a step without a checkpoint, listing the available ones, and a step with nothing left to train', () => {
    const missing = refused(22);
    expect(missing.code).toBe(20);
    expect(missing.err).toMatch(
      /has no checkpoint of step 22\.\n {7}It has checkpoints of steps 3, 6, .*21, .*48\./,
    );
    const end = refused(48);
    expect(end.code).toBe(20);
    expect(end.err).toContain('begin at step 48, so nothing is left to train');
    expect(refused(30, 'training.epochs=2').err).toContain('would have 24 steps and begin at step 30');
    const unknown = refused(21, 'training.lr=1');
    expect([unknown.code, unknown.err]).toEqual([
      3,
      expect.stringContaining('training.lr is not a known key'),
    ]);
    expect(lab.run('train', '--fork', original).err).toContain('--fork needs --at STEP');
  });
});
