import { describe, expect, it } from 'vitest';
import { clipByGlobalNorm, AdamW } from '../../../../src/training/optimizer/optimizer';
import fixture from '../../../fixtures/optimizer/adamw.json';

type Lists = Record<string, number[]>;
type Arrays = Map<string, Float32Array>;
const arrays = (lists: Lists): Arrays =>
  new Map(Object.entries(lists).map(([name, values]) => [name, Float32Array.from(values)]));

/** The largest difference, relative to the value or to 1e-3, whichever is larger. */
function worst(actual: Arrays, expected: Lists): number {
  let error = 0;
  for (const [name, values] of Object.entries(expected))
    values.forEach((v, i) => {
      error = Math.max(error, Math.abs(actual.get(name)![i] - v) / Math.max(Math.abs(v), 1e-3));
    });
  return error;
}

const make = (c: (typeof fixture.cases)[number]) =>
  new AdamW(c.groups, { betas: c.betas as [number, number], epsilon: c.epsilon });

describe('AdamW', () => {
  it.each(fixture.cases.map((c) => [c.betas.join(', '), c] as const))('matches PyTorch, betas %s', (_, c) => {
    const params = arrays(c.start);
    const optimizer = make(c);
    for (const s of c.steps) {
      optimizer.step(params, arrays(s.clipped), s.factor);
      // One unit in the last place per step, because PyTorch fuses some multiply-adds on some machines.
      expect(worst(params, s.params)).toBeLessThan(1e-6);
    }
  });

  it('continues from its saved state with the same bits, independently of the first instance', () => {
    const [c] = fixture.cases;
    const params = arrays(c.start);
    const optimizer = make(c);
    for (const s of c.steps.slice(0, 4)) optimizer.step(params, arrays(s.grads), s.factor);
    const state = optimizer.state();
    const saved: Arrays = new Map(Array.from(params, ([n, p]) => [n, p.slice()]));
    for (const s of c.steps.slice(4)) optimizer.step(params, arrays(s.grads), s.factor);
    const resumed = make(c);
    resumed.load(state);
    for (const s of c.steps.slice(4)) resumed.step(saved, arrays(s.grads), s.factor);
    expect(saved).toEqual(params);
    expect(resumed.state()).toEqual(optimizer.state());
  });

  it('rejects a state of a different size and a missing gradient', () => {
    const [c] = fixture.cases;
    const optimizer = make(c);
    const moments = new Map([['a', new Float32Array(3)]]);
    optimizer.load({ step: 1, firstMoments: moments, secondMoments: moments });
    const [s] = c.steps;
    expect(() => optimizer.step(arrays(c.start), arrays(s.grads), 1)).toThrow('3 values for a but needs 37');
    expect(() => make(c).step(arrays(c.start), new Map(), 1)).toThrow('no values for a');
  });
});

describe('clipping by global norm', () => {
  it("matches PyTorch's norm and gradients", () => {
    for (const s of fixture.cases[0].steps) {
      const grads = arrays(s.grads);
      expect(clipByGlobalNorm(grads, 1) / s.norm!).toBeCloseTo(1, 6);
      expect(worst(grads, s.clipped)).toBeLessThan(1e-6);
    }
  });

  it('leaves gradients unchanged that are small, not finite or not to be clipped', () => {
    for (const [values, max, expected] of [
      [[0.3, 0.4], 1, '0.50000'],
      [[3, Infinity], 1, Infinity],
      [[3, NaN], 1, NaN],
      [[30, 40], 0, '50.00000'],
    ] as const) {
      const grads = new Map([['a', Float32Array.from(values)]]);
      const norm = clipByGlobalNorm(grads, max);
      expect(Number.isFinite(norm) ? norm.toFixed(5) : norm).toEqual(expected);
      expect(grads.get('a')).toEqual(Float32Array.from(values));
    }
  });
});
