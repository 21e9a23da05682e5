import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CombineLine } from '../../src/protocol/combine';
import { readRun } from '../read-run';
import { Lab } from './lab';

const lab = new Lab({
  adapter: { method: 'lora', rank: 2, targetModules: ['query', 'value'] },
  training: { epochs: 1, evaluateEvery: 'epoch' },
});
afterAll(() => lab.remove());

/** The experiment's runs. */
const runs = () => lab.runs(lab.path('.aurora/runs/tiny'));
let first: string;
let second: string;
beforeAll(() => {
  const trained = (seed: number) => {
    const r = lab.run('train', lab.experiment, '--set', `training.seed=${seed}`, '--device', 'cpu');
    expect(r.code).toBe(0);
  };
  trained(1);
  trained(2);
  [first, second] = runs();
});

describe('aurora combine', () => {
  it('makes a run beside the first, which is evaluated, exported and trained further like any other', () => {
    const r = lab.run(
      'combine',
      first,
      second,
      '--combination',
      'cat',
      '--head-of',
      '2',
      '--weights',
      '1,0.5',
    );
    expect([r.code, r.err]).toEqual([0, expect.not.stringContaining('error')]);
    expect(r.out).toContain('a LoRA on');
    expect(r.out).toMatch(/combined +\d/);
    const run = /Run folder {2}(.*)/.exec(r.out)![1];
    expect(join(run, '..')).toBe(join(first, '..'));
    expect(readRun(run).events[0]).toMatchObject({ kind: 'imported', combination: { combination: 'cat' } });
    const exported = lab.run('export', run, '--as', 'peft-lora', '--out', lab.path('out'));
    expect(exported.code).toBe(0);
    expect(lab.read('out/README.md')).toContain('combined by `cat of');
    expect(JSON.parse(lab.read('out/adapter_config.json'))).toMatchObject({ r: 4, lora_alpha: 4 });
    const resumed = lab.run('train', '--resume', run, '--device', 'cpu');
    expect(resumed.code).toBe(0);
    expect(readRun(run).result!.steps).toBe(12);
  });

  it('prints JSON lines', () => {
    const r = lab.run(
      'combine',
      first,
      second,
      '--combination',
      'dare_ties',
      '--density',
      '0.5',
      '--head-of',
      first,
      '--json',
    );
    expect(r.code).toBe(0);
    const lines = r.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as CombineLine);
    expect(lines[0]).toEqual({ kind: 'preparing' });
    expect(lines.at(-1)).toMatchObject({
      kind: 'result',
      record: {
        combination: 'dare_ties',
        density: 0.5,
        seed: readRun(first).spec.training.seed,
        majoritySignMethod: 'total',
      },
    });
  });

  it.each<[string[], string, number]>([
    [[], 'needs the adapters to combine', 2],
    [['A', '--combination', 'cat'], 'needs at least two adapters', 2],
    [['A', 'A'], 'is given twice', 2],
    [['A', 'B', '--combination', 'mean'], '--combination takes svd, cat', 2],
    [['A', 'B', '--combination', 'ties'], '--combination ties needs the share of values to keep', 2],
    [['A', 'B', '--density', '0.5'], '--density is for the rules with ties, dare or magnitude_prune', 2],
    [['A', 'B', '--combination', 'ties', '--density', '0'], '--density takes a number above 0', 2],
    [['A', 'B', '--combination', 'cat', '--rank', '3'], '--rank is for the rules with svd', 2],
    [['A', 'B', '--seed', '3'], '--seed is for the rules with dare', 2],
    [['A', 'B', '--weights', '1'], '--weights has 1 numbers for 2 adapters', 2],
    [['A', 'B', '--weights', '1,x'], '--weights takes numbers', 2],
    [['A', 'B', '--set', 'training.seed=3'], '--set changes a setting of the experiment of --experiment', 2],
    [['A', 'B'], 'differ in their weights', 22],
  ])('refuses %j', (args, message, code) => {
    const given = args.map((arg) => (arg === 'A' ? first : arg === 'B' ? second : arg));
    const before = runs().length;
    const r = lab.run('combine', ...given);
    expect([r.code, r.err]).toEqual([code, expect.stringContaining(message)]);
    expect(runs()).toHaveLength(before);
  });
});
