import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExperimentText } from '../../../src/runs/experiment/experiment-text';
import { checkWithTrials, loadExperiment, loadSweep } from '../../../src/runs/experiment/load';
import { expand, type SweepSpec } from '../../../src/experiment/sweep';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'aurora-sweep-'));
  file = join(folder, 'demo.aurora.json');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BASE = { model: { path: 'model.onnx' }, data: { train: 'train.csv' } };
const write = (sweep: object, base: object = BASE) =>
  writeFileSync(file, JSON.stringify({ ...base, sweep }, null, 2));
const load = (sweep: object, ...set: string[]) => {
  write(sweep);
  return loadSweep(file, set);
};
function errorOf(sweep: object, ...set: string[]): string {
  try {
    load(sweep, ...set);
  } catch (e) {
    return (e as Error).message.replaceAll(file, 'FILE');
  }
  throw new Error('It was accepted.');
}
const MANY = Array.from({ length: 101 }, (_, i) => i + 1);
const spec = (sweep: Partial<SweepSpec>): SweepSpec => ({ type: 'grid', seed: 1, ...sweep });

describe('the trials of a sweep', () => {
  it('are all combinations in a grid, without duplicates, and the last parameter varies fastest', () => {
    const parameters = { 'adapter.rank': [1, 2], 'training.seed': [1, 2, 2] };
    expect(expand(spec({ parameters })).map((s) => Object.values(s))).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
      [2, 2],
    ]);
  });

  it('follow from the seed in a random sweep, and a larger count extends the list', () => {
    const parameters = {
      'training.learningRate': { min: 1e-4, max: 1e-2, scale: 'log' },
      'adapter.rank': { min: 1, max: 4, integer: true },
      'adapter.alpha': [4, 8],
    } as const satisfies Record<string, unknown>;
    const random = (count: number, seed = 1) =>
      expand(spec({ type: 'random', count, seed, parameters: structuredClone(parameters) as never }));
    const all = random(200);
    expect(all).toHaveLength(200);
    expect(random(20)).toEqual(all.slice(0, 20));
    expect(random(20, 2)).not.toEqual(all.slice(0, 20));
    const values = (key: string) => all.map((s) => s[key] as number);
    expect(new Set(values('adapter.rank'))).toEqual(new Set([1, 2, 3, 4]));
    expect(new Set(values('adapter.alpha'))).toEqual(new Set([4, 8]));
    const rates = values('training.learningRate');
    expect(rates.every((r) => r >= 1e-4 && r <= 1e-2)).toBe(true);
    // About half of the values lie above the middle of the log scale.
    expect(rates.filter((r) => r > 1e-3).length).toBeGreaterThan(70);
    expect(rates.filter((r) => r < 1e-3).length).toBeGreaterThan(70);
  });

  it('end early if a random sweep has few distinct values', () => {
    expect(expand(spec({ type: 'random', count: 9, parameters: { 'training.seed': [1, 2] } }))).toHaveLength(
      2,
    );
  });

  it('need a bounded number of draws in a random sweep', () => {
    let looked = 0;
    const counted = { toJSON: () => ++looked && 'same' };
    const parameters = { 'adapter.rank': [counted], 'training.seed': [1, 2, 3] };
    expect(expand(spec({ type: 'random', count: 1000, parameters }))).toHaveLength(3);
    expect(looked).toBeLessThan(200);
    const all = { 'training.seed': { min: 1, max: 1_000_000, integer: true }, 'adapter.rank': [counted] };
    looked = 0;
    expect(expand(spec({ type: 'random', count: 200, parameters: all }))).toHaveLength(200);
    expect(looked).toBeLessThan(300);
  });

  it('have at most as many characters in total as can be checked while the user types', () => {
    const long = Array.from({ length: 5000 }, (_, i) => `layer${i}`);
    const parameters = {
      'adapter.targetModules': [long],
      'training.seed': Array.from({ length: 1000 }, (_, i) => i),
    };
    expect(errorOf({ type: 'grid', parameters })).toMatch(
      /FILE:\d+:\d+: the experiment and its settings have [\d,]+ characters in 1000 trials, more than 40,000,000: use fewer trials or shorter lists\./,
    );
    expect(errorOf({ type: 'random', count: 1000, parameters })).toContain('more than 40,000,000');
    write(
      { type: 'list', trials: parameters['training.seed'].map((seed) => ({ 'training.seed': seed })) },
      { ...BASE, adapter: { targetModules: long } },
    );
    expect(() => loadSweep(file)).toThrow('more than 40,000,000');
    expect(load({ type: 'list', trials: [{ 'adapter.targetModules': long }] }).trials).toHaveLength(1);
  });

  it('are checked by an editor at every value and in a sample, and counted, if there are thousands', () => {
    const parameters = { 'training.seed': MANY, 'adapter.rank': [...MANY, 0] };
    const text = JSON.stringify({ ...BASE, sweep: { type: 'grid', parameters } });
    const { trials, problems } = checkWithTrials(new ExperimentText(file, text));
    expect(trials).toBe(101 * 102);
    expect(problems.map(({ path }) => path)).toEqual([['sweep', 'parameters', 'adapter.rank', 101]]);
  });

  it('are identified by their settings, whatever else the section contains', () => {
    const few = load({ type: 'grid', parameters: { 'adapter.rank': [1, 2], 'training.seed': [1] } });
    const more = load({ type: 'grid', parameters: { 'training.seed': [1, 3], 'adapter.rank': [1, 2, 4] } });
    const ids = more.trials.map((t) => t.id);
    expect(new Set(ids).size).toBe(6);
    for (const { id } of few.trials) expect(ids).toContain(id);
    expect(more.baseHash).toBe(few.baseHash);
    expect(load({ type: 'list', trials: [{}] }, 'training.epochs=9').baseHash).not.toBe(few.baseHash);
  });

  it('are the experiment with changed settings, and dependent defaults still follow', () => {
    const adapter = [{ method: 'lora', rank: 8 }, { method: 'aurora' }];
    const { trials, base } = load({
      type: 'grid',
      parameters: { 'adapter.alpha': [1], adapter, 'training.learningRate': [0.5] },
    });
    expect(base.training.learningRate).toBe(0.002);
    expect(trials.map((t) => t.spec.adapter)).toMatchObject([
      { method: 'lora', rank: 8, alpha: 1, useRslora: false },
      { method: 'aurora', rank: 2, alpha: 1, gridSize: 5 },
    ]);
    for (const { spec } of trials) {
      expect(spec.training).toMatchObject({ learningRate: 0.5, headLearningRate: 0.5 });
      expect(spec).not.toHaveProperty('sweep');
    }
  });

  it('do not affect a plain run of the experiment', () => {
    write({ type: 'list', trials: [{ 'training.seed': 1 }] });
    expect(loadExperiment(file)).not.toHaveProperty('sweep');
    expect(loadExperiment(file).training.seed).toBe(42);
  });
});

describe('a mistake in a sweep', () => {
  it('is reported once, at the value, with the first trial that has it', () => {
    const parameters = { 'adapter.rank': [2, 0], 'training.seed': [1, 2] };
    expect(errorOf({ type: 'grid', parameters })).toBe(
      'FILE:13:9: trial 3 (rank 0 · seed 1): adapter.rank is 0, expected a whole number of at least 1.',
    );
    write({ type: 'grid', parameters });
    const text = JSON.stringify({ ...BASE, sweep: { type: 'grid', parameters } });
    const { problems } = checkWithTrials(new ExperimentText(file, text));
    expect(problems).toMatchObject([{ path: ['sweep', 'parameters', 'adapter.rank', 1], from: 'rule' }]);
  });

  it.each([
    [{ type: 'grid' }, /sweep\.parameters is missing: a sweep of the type grid needs it/],
    [{ type: 'random', parameters: { 'training.seed': [1] } }, /sweep\.count is missing/],
    [{ type: 'list', trials: [{}], count: 3 }, /sweep\.count has no effect in a sweep of the type list/],
    [
      { type: 'grid', parameters: { 'training.seed': [] } },
      /sweep\.parameters\.training\.seed is \[\], expected/,
    ],
    [
      { type: 'grid', parameters: { 'training.sed': [1] } },
      /trial 1 .*training\.sed is not a known key.*"seed"/,
    ],
    [{ type: 'grid', parameters: { 'training.seed.x': [1] } }, /trial 1 .*training\.seed/],
    [{ type: 'grid', parameters: { 'sweep.seed': [1] } }, /sweep\.seed is not a setting of a trial/],
    [{ type: 'grid', parameters: { 'adapter.rank': { min: 1, max: 2 } } }, /a grid needs a list of values/],
    [
      { type: 'random', count: 2, parameters: { 'adapter.alpha': { min: 0, max: 2, scale: 'log' } } },
      /needs numbers above 0/,
    ],
    [{ type: 'list', trials: [{}], pruning: {} }, /needs either minEpochs or minSteps/],
    [
      { type: 'grid', parameters: { 'training.learningRate': [0.1] }, learningRateSearch: {} },
      /needs trials that differ in training\.seed/,
    ],
    [
      { type: 'list', trials: [{}], learningRateSearch: {} },
      /needs trials that differ in training\.learningRate and training\.seed/,
    ],
    [
      { type: 'list', trials: [{}], pruning: { minSteps: 1 }, learningRateSearch: {} },
      /learningRateSearch and sweep\.pruning cannot be combined/,
    ],
    [
      { type: 'random', count: 30_000, parameters: { 'adapter.alpha': { min: 1, max: 2 } } },
      /the sweep has 30000 trials, more than 20000/,
    ],
    [
      {
        type: 'grid',
        parameters: { 'training.seed': MANY, 'training.epochs': MANY, 'adapter.rank': [1, 2] },
      },
      /the sweep has 20402 trials, more than 20000/,
    ],
    [
      { type: 'list', trials: [{ 'training.epochs': 1 }, { 'training.staticEpochs': 9 }] },
      /trial 2 \(static 9\): training\.staticEpochs is 9, more than the 3/,
    ],
  ])('is explained: %j', (sweep, message) => expect(errorOf(sweep)).toMatch(message));

  it('is no longer searched for after 100 trials with mistakes', () => {
    const trials = Array.from({ length: 300 }, (_, i) => ({ [`x${i}`]: 1 }));
    const message = errorOf({ type: 'list', trials });
    expect(message).toContain('trial 100 (');
    expect(message).toContain('and 1 more like these');
  });

  it('can be a setting that is both given and varied', () => {
    const parameters = { 'training.seed': [1] };
    expect(errorOf({ type: 'grid', parameters }, 'training.seed=2')).toMatch(
      /^--set training\.seed=2: the sweep already varies training\.seed\.$/,
    );
  });

  it('can be a missing sweep section', () => {
    writeFileSync(file, JSON.stringify(BASE));
    expect(() => loadSweep(file)).toThrow(/has no "sweep" section/);
  });
});
