import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRun } from '../read-run';
import { EXIT } from '../../src/base/errors';
import { checkpointSteps } from '../../src/training/checkpoint/checkpoint-store';
import { Lab } from './lab';

const labs: Lab[] = [];
const lab = (settings: Record<string, unknown>): Lab => {
  const made = new Lab(settings);
  labs.push(made);
  return made;
};
afterAll(() => labs.forEach((l) => l.remove()));

const resultOf = (run: string) =>
  JSON.parse(readFileSync(join(run, 'result.json'), 'utf8')) as Record<string, unknown>;
const kinds = (run: string) => readRun(run).events.map((e) => e.kind);
const train = (l: Lab, ...more: string[]) =>
  l.run('train', l.experiment, '--threads', '1', '--out', l.path('out'), ...more);

/** Trained to completion at a learning rate that makes every model diverge, and evaluated only at the end. */
const exploding = (method: string, metric: string) => ({
  adapter: { method },
  training: {
    ...{ learningRate: 300, schedule: 'constant', maxSteps: 10, evaluateEvery: 10, checkpointEvery: 5 },
    metric,
  },
});

describe('a run that explodes', () => {
  it.each([
    ['aurora', 'accuracy'],
    ['aurora', 'loss'],
    ['lora', 'accuracy'],
    ['lora', 'loss'],
  ])('fails without a best adapter: %s by %s', (method, metric) => {
    const l = lab(exploding(method, metric));
    const out = train(l);
    expect(out.code, out.err).toBe(EXIT.diverged);
    expect(out.err).toContain(
      'error: Training diverged at step 10: the validation loss is far above that of random guessing',
    );
    expect(out.err).not.toContain('best so far');
    const [run] = l.runs(l.path('out'));
    expect(resultOf(run)).toMatchObject({ outcome: 'diverged', steps: 10 });
    expect(resultOf(run)).not.toHaveProperty('best');
    const { events, status } = readRun(run);
    expect(status).toMatchObject({ state: 'failed', step: 10 });
    expect(kinds(run)).not.toContain('evaluation');
    expect(kinds(run)).not.toContain('finished');
    expect(events.find((e) => e.kind === 'diverged-evaluation')).toMatchObject({
      ...{ step: 10, reason: 'exploded', metrics: { examples: 24 } },
    });
    expect(events.at(-1)).toMatchObject({ kind: 'failed', step: 10, error: 'diverged' });
    expect(existsSync(join(run, 'adapter', 'best'))).toBe(false);
    // Nothing is left to train, so it fails the same way.
    const again = l.run('train', '--resume', run, '--threads', '1');
    expect(again.code, again.err).toBe(EXIT.diverged);
  });
});

describe('a run with numbers that become non-finite', () => {
  it('ends at that evaluation and keeps the checkpoint and the best adapter from before', () => {
    const l = lab({ training: { evaluateEvery: 5, checkpointEvery: 5, maxSteps: 10 } });
    expect(train(l).code).toBe(EXIT.ok);
    const [good] = l.runs(l.path('out'));
    const settings = [
      'training.learningRate=1e37',
      'training.evaluateEvery=1',
      'training.schedule="constant"',
    ];
    const out = l.run(
      ...['train', '--fork', good, '--at', '5', '--threads', '1'],
      ...settings.flatMap((s) => ['--set', s]),
    );
    expect(out.code, out.err).toBe(EXIT.diverged);
    const run = l.runs(l.path('out')).find((r) => r !== good)!;
    expect(readRun(run).events.find((e) => e.kind === 'diverged-evaluation')).toMatchObject({
      ...{ step: 6, reason: 'non-finite' },
    });
    expect(checkpointSteps(run)).toEqual([5]);
    expect(resultOf(run)).toMatchObject({ outcome: 'diverged', steps: 6, best: { step: 5 } });
    expect(readRun(run).events.at(-1)).toMatchObject({ kind: 'failed', step: 6, error: 'diverged' });
    const again = l.run('train', '--resume', run, '--threads', '1');
    expect(again.code).toBe(EXIT.diverged);
    expect(again.err).toContain('Resuming at step 5');
    expect(checkpointSteps(run)).toEqual([5]);
    const exported = l.run('export', run, '--as', 'adapter', '--json');
    expect(exported.code, exported.err).toBe(EXIT.ok);
    expect(exported.out).toContain('"step":5');
  });
});

describe('a search of learning rates that all diverge', () => {
  it('chooses none, trains no other seed and reports this', () => {
    const l = lab({
      training: { schedule: 'constant', maxSteps: 5, evaluateEvery: 5 },
      sweep: {
        type: 'grid',
        parameters: { 'training.learningRate': [300, 1e37], 'training.seed': [1, 2] },
        ...{ learningRateSearch: { seeds: 1 }, parallel: 1 },
      },
    });
    const sweep = () => l.run('sweep', l.experiment, '--threads', '1', '--device', 'cpu');
    const out = sweep();
    expect(out.code, out.err).toBe(EXIT.failed);
    expect(out.out).toContain('No learning rate was chosen: each had a run that diverged or failed.');
    expect(out.out).toContain('Not trained with other seeds: trials 2, 4.');
    expect(out.out).not.toContain('Best: trial');
    const runs = l.runs(l.path('.aurora/runs/tiny'));
    expect(runs).toHaveLength(2);
    // The decision is final.
    expect(sweep().code).toBe(EXIT.failed);
    expect(l.runs(l.path('.aurora/runs/tiny'))).toEqual(runs);
  });
});

describe('a sweep with trials that diverge', () => {
  it.each(['accuracy', 'loss'])('finishes and never calls one of them the best by %s', (metric) => {
    const l = lab({
      training: { schedule: 'constant', maxSteps: 20, evaluateEvery: 5, metric },
      sweep: {
        ...{ type: 'grid', parameters: { 'training.learningRate': [1e37, 300, 0.01] } },
        ...{ metric, parallel: 1, pruning: { eta: 3, minSteps: 5 } },
      },
    });
    const out = l.run('sweep', l.experiment, '--threads', '1', '--device', 'cpu');
    expect(out.code, out.err).toBe(EXIT.failed);
    expect(out.out).toContain('Best: #3 ');
    expect(out.out).toMatch(/1 +– .*diverged/);
    expect(out.out).toMatch(/^ *#2 +– .*(pruned|diverged)/m);
    expect(out.out).toMatch(/^ *#3 +[\d.]+.*finished/m);
    const json = l.run('sweep', l.experiment, '--threads', '1', '--device', 'cpu', '--json');
    const lines = json.out.trimEnd().split('\n');
    const trials = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const diverged = trials.filter((t) => t.kind === 'trial').map((t) => [t.number, t.diverged]);
    expect(new Map(diverged as [number, unknown][])).toEqual(
      new Map([
        [1, true],
        [2, true],
        [3, undefined],
      ]),
    );
    const study = l.run('study', l.experiment);
    expect(study.code, study.err).toBe(EXIT.ok);
    expect(study.out).toContain('is excluded: training diverged.');
    expect(study.out).not.toMatch(/NaN|null|Infinity/);
  });
});
