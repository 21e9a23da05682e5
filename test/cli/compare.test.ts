import { existsSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { loadSweep } from '../../src/runs/experiment/load';
import { LAYER_METHODS } from '../../src/experiment/methods';
import { Lab } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());
const out = lab.path('tiny-compare.aurora.json');

describe('aurora compare', () => {
  const before = readFileSync(lab.experiment, 'utf8');
  const made = lab.run('compare', lab.experiment, '--seeds', '2', '--rates', '0.01,0.03');

  it('writes an experiment with a sweep over each method, rate and seed', () => {
    expect([made.code, made.err]).toEqual([0, '']);
    const { trials } = loadSweep(out, []);
    // AuroRA, LoRA at four budgets, and the head alone.
    expect(trials).toHaveLength(6 * 2 * 2);
    const kinds = trials.map(({ spec: { adapter } }) =>
      'rank' in adapter ? `${adapter.method} ${adapter.rank}` : adapter.method,
    );
    expect(new Set(kinds)).toEqual(new Set(['aurora 2', 'lora 2', 'lora 5', 'lora 9', 'lora 18', 'none']));
    expect(new Set(trials.map(({ spec }) => spec.training.learningRate))).toEqual(new Set([0.01, 0.03]));
    expect(new Set(trials.map(({ spec }) => spec.training.seed))).toEqual(new Set([1, 2]));
    expect(made.out).toMatch(/LoRA r2 +512 +0\.\d+ × AuroRA/);
    // Both rates for the first seed, and the better one for the other seed.
    expect(made.out).toContain('the first of which selects the rate: 18 trials.');
    expect(made.out).toContain(`sweep ${out}`);
  });

  it('changes neither the experiment nor an existing file', () => {
    expect(readFileSync(lab.experiment, 'utf8')).toBe(before);
    const again = lab.run('compare', lab.experiment);
    expect([again.code, again.err]).toEqual([
      2,
      expect.stringContaining('already exists and was not overwritten'),
    ]);
  });

  it('replaces an existing sweep and keeps comments', () => {
    const text = before.replace(
      '{',
      '{ // mine\n  "sweep": { "type": "list", "trials": [{ "adapter.rank": 4 }] },',
    );
    lab.write('commented.aurora.json', text);
    const r = lab.run(
      'compare',
      lab.path('commented.aurora.json'),
      '--methods',
      'full,bitfit',
      '--ablations',
    );
    expect([r.code, r.err]).toEqual([0, '']);
    const written = readFileSync(lab.path('commented-compare.aurora.json'), 'utf8');
    expect(written).toContain('// mine');
    expect(written).not.toContain('"adapter.rank"');
    const { trials } = loadSweep(lab.path('commented-compare.aurora.json'), []);
    // AuroRA, its five ablations, and two methods without a size.
    expect(trials).toHaveLength(8 * 3 * 3);
    const isStatic = trials.filter(({ spec }) => spec.training.staticEpochs === spec.training.epochs);
    expect(isStatic).toHaveLength(3 * 3);
    expect(isStatic[0].spec.adapter).toEqual(trials[0].spec.adapter);
    expect(r.out).toMatch(/AuroRA r2, trained in the static form +[\d,]+ +1 × AuroRA/);
  });

  it.each([
    [['--methods', 'loro'], 'Unknown method "loro".'],
    [['--methods', 'lokkr'], 'Did you mean "lokr"?'],
    [['--rates', '0.1,x'], '--rates takes numbers above 0, not "0.1,x".'],
    [['--multiples=-1'], '--multiples takes numbers above 0'],
    [['--seeds', 'two'], '--seeds'],
  ])('rejects %j', (args, message) => {
    const r = lab.run('compare', lab.experiment, '--out', lab.path('other.aurora.json'), ...args);
    expect([r.code, r.err]).toEqual([2, expect.stringContaining(message)]);
    expect(existsSync(lab.path('other.aurora.json'))).toBe(false);
  });

  it('sizes a method in blocks, and names its size', () => {
    lab.write('blocks.aurora.json', before);
    const args = ['--methods', 'oft,c3a', '--multiples', '1,2'];
    const r = lab.run('compare', lab.path('blocks.aurora.json'), ...args);
    expect([r.code, r.err]).toEqual([0, '']);
    expect(r.out).toMatch(/OFT b\d+ +[\d,]+ +[\d.]+ × AuroRA/);
    expect(r.out).toMatch(/C³A b\d+ +[\d,]+ +[\d.]+ × AuroRA/);
  });

  it('wraps the names of all methods in its help', () => {
    const { out } = lab.run('compare', '--help');
    for (const method of LAYER_METHODS) expect(out).toMatch(new RegExp(`\\b${method}\\b`));
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it('keeps the reading of the spline, and names it', () => {
    lab.write('pairs.aurora.json', before.replace('"aurora"', '"aurora", "spline": "per-pair"'));
    const r = lab.run('compare', lab.path('pairs.aurora.json'), '--methods', 'none', '--ablations');
    expect([r.code, r.err]).toEqual([0, '']);
    expect(r.out).toMatch(/AuroRA r2, spline per-pair +[\d,]+ +1 × AuroRA/);
    // A part that is switched off has no reading.
    expect(r.out).toMatch(/AuroRA r2, without L +[\d,]+ /);
  });

  it("requires AuroRA as the experiment's method", () => {
    const lora = before.replace('"aurora"', '"lora"');
    lab.write('lora.aurora.json', lora);
    expect(lab.run('compare', lab.path('lora.aurora.json')).err).toContain(
      'a comparison starts from an AuroRA experiment',
    );
  });
});
