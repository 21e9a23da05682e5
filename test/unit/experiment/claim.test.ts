import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { combinations, endAt, nextValue } from '../../../src/experiment/claim';
import { claimOf, claimSweep, trialSettings } from '../../../src/runs/experiment/claim-trials';
import { frozenSettings } from '../../../src/runs/experiment/frozen-settings';
import { readExperiment } from '../../../src/runs/experiment/load';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'aurora-claim-'));
  file = join(folder, 'demo.aurora.json');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BASE = {
  model: { path: 'model.onnx' },
  data: { train: 'train.csv', validation: 'validation.csv' },
  training: { learningRate: 0.01 },
};
const CLAIM = { relation: 'better', first: {}, than: { adapter: { method: 'lora', rank: 2 } }, by: 0.01 };

function plan(claim: object, base: object = BASE) {
  writeFileSync(file, JSON.stringify({ ...base, claim: { ...CLAIM, ...claim } }, null, 2));
  return claimOf(readExperiment(file));
}

function errorOf(claim: object, base?: object): string {
  try {
    plan(claim, base);
  } catch (e) {
    return (e as Error).message.replaceAll(file, 'FILE');
  }
  throw new Error('It was accepted.');
}

describe('the claim of an experiment', () => {
  it('searches three learning rates with one seed, and is tested on the validation data, by default', () => {
    const { claim, specs } = plan({});
    expect(claim).toEqual({
      relation: 'better',
      methods: [{}, { adapter: { method: 'lora', rank: 2 } }],
      sides: [
        { method: 0, form: 'trained' },
        { method: 1, form: 'trained' },
      ],
      of: 'each',
      metric: 'accuracy',
      by: 0.01,
      on: 'validation',
      search: { parameters: { 'training.learningRate': [0.0033, 0.01, 0.03] }, seeds: 1, extend: 2 },
      seed: 1,
    });
    expect(specs.map(({ adapter }) => adapter.method)).toEqual(['aurora', 'lora']);
  });

  it('has two looks unless it says otherwise, and they are a part of what is frozen', () => {
    const looksOf = (claim: object) => frozenSettings(plan(claim)).looks;
    expect(looksOf({})).toEqual([
      { seeds: 5, level: 0.005 },
      { seeds: 10, level: 0.02 },
    ]);
    expect(looksOf({ looks: [3, 10] }).map(({ seeds }) => seeds)).toEqual([3, 10]);
    expect(looksOf({ looks: [7] })).toEqual([{ seeds: 7, level: 0.025 }]);
  });

  it('is tested on data.test if there is one', () => {
    expect(plan({}, { ...BASE, data: { ...BASE.data, test: 'test.csv' } }).claim.on).toBe('test');
  });

  it('trains methods once that are compared in two forms', () => {
    const { claim } = plan({ than: { form: 'fitted' } });
    expect(claim.methods).toEqual([{}]);
    expect(claim.sides).toEqual([
      { method: 0, form: 'trained' },
      { method: 0, form: 'fitted' },
    ]);
  });

  it('does not search on the examples that it is tested on', () => {
    const planned = plan({});
    const settings = [trialSettings({}, { 'training.learningRate': 0.01 }, 5)];
    const data = (phase: 'search' | 'test', of = planned) =>
      claimSweep(of, phase, 'name', settings)!.trials[0]!.spec.data;
    expect(data('search').validation).toBeUndefined();
    expect(data('test').validation).toBe(join(folder, 'validation.csv'));
    const tested = plan({}, { ...BASE, data: { ...BASE.data, test: 'test.csv' } });
    expect(data('search', tested)).toMatchObject({ validation: join(folder, 'validation.csv') });
    expect(data('search', tested).test).toBeUndefined();
    expect(data('test', tested).test).toBe(join(folder, 'test.csv'));
  });

  const TOP = { ...BASE, data: { train: 'train.csv' } };
  it.each([
    ['that has no fixed examples', {}, TOP, /claim.*same for all seeds.*add data\.validation or data\.test/],
    ['that needs a missing file', { on: 'test' }, BASE, /claim\.on is "test", but there is no data\.test/],
    [
      'on data that stop training',
      {},
      { ...BASE, training: { earlyStopping: { patience: 2 } } },
      /training\.earlyStopping chooses the last step/,
    ],
    ['on another data set', { than: { 'data.train': 'other.csv' } }, BASE, /another model, task or data set/],
    ['on another model', { first: { 'model.path': 'other.onnx' } }, BASE, /another model, task or data set/],
    [
      'on another task',
      { search: { parameters: { 'task.type': ['x', 'y'] } } },
      BASE,
      /another model, task or/,
    ],
    ['that sets the seed', { than: { 'training.seed': 3 } }, BASE, /training\.seed is set by the claim/],
    [
      'that sets what is searched',
      { than: { 'training.learningRate': 0.1 } },
      BASE,
      /training\.learningRate is set here, and the search varies training\.learningRate/,
    ],
    ['of two equal sides', { than: {} }, BASE, /claim\.than is the same as claim\.first/],
    ['with a misspelt setting', { than: { 'adapter.rnk': 2 } }, BASE, /rnk.*did you mean "rank"/],
    ['with an unknown metric', { metric: 'pearson' }, BASE, /claim\.metric is "pearson", expected one of/],
    ['without a difference that matters', { by: 0 }, BASE, /claim\.by/],
    [
      'at looks that do not ascend',
      { looks: [10, 5] },
      BASE,
      /claim\.looks is \[10, 5\], expected numbers that asc/,
    ],
    ['at too few seeds', { looks: [2] }, BASE, /claim\.looks\[0\] is 2/],
    ['at too many seeds', { looks: [5, 31] }, BASE, /claim\.looks\[1\] is 31/],
    ['at three looks', { looks: [3, 5, 10] }, BASE, /claim\.looks/],
    [
      'of the fit of a method without σ',
      { than: { adapter: { method: 'lora', rank: 2 }, form: 'fitted' } },
      BASE,
      /form is "fitted", but this method has no σ/,
    ],
  ])('refuses one %s', (_, claim, base, message) => {
    expect(errorOf(claim, base)).toMatch(message);
  });

  it('names the place of a mistake', () => {
    expect(errorOf({ than: [{ 'adapter.rank': 2 }, { 'data.train': 'x' }] })).toMatch(
      /^FILE:\d+:\d+: data\.train/,
    );
  });
});

describe('the search of a claim', () => {
  it('tries every combination', () => {
    expect(combinations({ a: [1, 2], b: ['x'] })).toEqual([
      { a: 1, b: 'x' },
      { a: 2, b: 'x' },
    ]);
  });

  it.each([
    ['by the ratio of its outer values', [0.001, 0.003, 0.01], 0.000333, 0.0333],
    ['in any order', [8, 2, 4], 1, 16],
    ['by their difference from 0', [0, 0.1, 0.2], -0.1, 0.3],
    ['not without two numbers', [0.1], undefined, undefined],
    ['not with other values', [1, 2, 'auto'], undefined, undefined],
    ['not by a value that it has', [1, 2, 2], undefined, 4],
  ])('extends a list %s', (_, values, low, high) => {
    expect(nextValue(values, 'low')).toBe(low);
    expect(nextValue(values, 'high')).toBe(high);
  });

  it('finds the end at which a value lies', () => {
    expect([1, 2, 3].map((v) => endAt([2, 1, 3], v))).toEqual(['low', undefined, 'high']);
    expect(endAt(['a', 'b'], 'a')).toBeUndefined();
    expect(endAt([1], 1)).toBeUndefined();
  });
});
