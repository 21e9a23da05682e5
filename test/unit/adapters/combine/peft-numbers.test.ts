import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  combinePairs,
  type CombinationRule,
  seededDraw,
  type Term,
} from '../../../../src/adapters/combine/combine-pairs';
import { readSafetensors } from '../../../../src/graph/file/safetensors';
import {
  type Combination,
  combinationSteps,
  type MajoritySignMethod,
} from '../../../../src/protocol/combination';

/** A case of test/fixtures/combine: the arguments of PEFT's add_weighted_adapter, and the masks that it drew. */
interface Case {
  combination: Combination;
  /** A letter each. */
  adapters: string;
  weights: number[];
  rank?: number;
  density?: number;
  sign?: MajoritySignMethod;
  modules: string[];
  /** A digit for each value, 1 if it was kept: for A of each adapter, then B, or for the changes; module by module. */
  masks?: string[];
}

interface Cases {
  adapters: Record<string, { rank: number; alpha: number; modules: string[] }>;
  cases: Case[];
}

const FOLDER = 'test/fixtures/combine';
const { adapters, cases } = JSON.parse(readFileSync(`${FOLDER}/cases.json`, 'utf8')) as Cases;
const { tensors } = readSafetensors(`${FOLDER}/numbers.safetensors`);
const values = (name: string) => tensors.get(name)!.data;

/** The adapters of a case that have a module, with the weights that PEFT gives them. */
function termsOf({ combination, adapters: names, weights }: Case, module: string): Term[] {
  return [...names].flatMap((name, adapter) => {
    const { rank, alpha, modules } = adapters[name];
    if (!modules.includes(module)) return [];
    const scale = alpha / rank;
    // PEFT counts the scale twice before a singular value decomposition.
    const weight = weights[adapter] * (combinationSteps(combination).decomposes ? scale : 1);
    const [A, B] = [values(`${name}.${module}.A`), values(`${name}.${module}.B`)];
    return [{ A, B, rank, scale, weight, adapter }];
  });
}

/** Draws that keep what PEFT kept. */
function drawsOf(c: Case): CombinationRule['draw'] {
  const parts = combinationSteps(c.combination).decomposes ? (['change'] as const) : (['A', 'B'] as const);
  const masks = new Map<string, string>();
  let next = 0;
  for (const module of c.modules)
    for (const part of parts)
      for (const { adapter } of termsOf(c, module))
        masks.set(`${c.modules.indexOf(module)} ${part} ${adapter}`, c.masks![next++]);
  return (adapter, module, part, i) => (masks.get(`${module} ${part} ${adapter}`)![i] === '1' ? 0 : 0.999999);
}

const ruleOf = (c: Case, terms: readonly Term[]): CombinationRule => ({
  combination: c.combination,
  density: c.density,
  majoritySignMethod: c.sign ?? 'total',
  draw: c.masks ? drawsOf(c) : seededDraw(1),
  rank: c.rank ?? Math.max(...terms.map(({ rank }) => rank)),
});

/** B·A (out, in) */
function product(A: Float32Array, B: Float32Array, rank: number): number[] {
  const columns = A.length / rank;
  return Array.from({ length: (B.length / rank) * columns }, (_, at) => {
    const [o, i] = [Math.floor(at / columns), at % columns];
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += B[o * rank + k] * A[k * columns + i];
    return sum;
  });
}

function difference(found: ArrayLike<number>, wanted: Float32Array): number {
  expect(found.length).toBe(wanted.length);
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i])), 0);
}

const named = cases.map((c, i) => ({
  ...c,
  i,
  of: JSON.stringify({ ...c, masks: undefined, modules: undefined }),
}));

describe("combinations are those of PEFT's add_weighted_adapter", () => {
  it('has a case of each rule', () => {
    expect([...new Set(cases.map(({ combination }) => combination))].sort()).toEqual([
      'cat',
      'dare_linear',
      'dare_linear_svd',
      'dare_ties',
      'dare_ties_svd',
      'linear',
      'magnitude_prune',
      'magnitude_prune_svd',
      'svd',
      'ties',
      'ties_svd',
    ]);
  });

  it.each(named)('$i: $of', (c) => {
    for (const [place, module] of c.modules.entries()) {
      const terms = termsOf(c, module);
      const made = combinePairs(terms, ruleOf(c, terms), place);
      if (combinationSteps(c.combination).decomposes) {
        // Signs of singular vectors are free.
        const wanted = values(`${c.i}.${module}.change`);
        expect(difference(product(made.A, made.B, made.rank), wanted)).toBeLessThan(2e-5);
        continue;
      }
      // PEFT pads with zeros where an adapter lacks the module.
      const [A, B] = [values(`${c.i}.${module}.A`), values(`${c.i}.${module}.B`)];
      const rank = tensors.get(`${c.i}.${module}.A`)!.dims[0];
      expect(made.rank).toBeLessThanOrEqual(rank);
      if (made.rank === rank) {
        expect(difference(made.A, A)).toBeLessThan(2e-6);
        expect(difference(made.B, B)).toBeLessThan(2e-6);
      }
      expect(
        difference(product(made.A, made.B, made.rank), Float32Array.from(product(A, B, rank))),
      ).toBeLessThan(1e-5);
    }
  });
});

describe('the scale of an adapter', () => {
  it('counts once, so that a weight of 1 is the adapter itself', () => {
    const [term] = termsOf({ combination: 'cat', adapters: 'y', weights: [1], modules: ['a'] }, 'a');
    expect(term.scale).toBe(2);
    const rule = { majoritySignMethod: 'total', draw: seededDraw(1), rank: 3 } as const;
    const wanted = Float32Array.from(product(term.A, term.B, 3), (v) => 2 * v);
    for (const combination of ['svd', 'cat', 'linear', 'ties_svd', 'magnitude_prune'] as const) {
      const made = combinePairs([term], { ...rule, combination, density: 1 }, 0);
      expect([combination, difference(product(made.A, made.B, made.rank), wanted) < 1e-5]).toEqual([
        combination,
        true,
      ]);
    }
  });
});

describe('dropped values', () => {
  const terms = () =>
    termsOf({ combination: 'dare_linear', adapters: 'xyu', weights: [1, 1, 1], modules: ['a'] }, 'a');
  const made = (seed: number, module = 0) =>
    combinePairs(
      terms(),
      {
        ...{ combination: 'dare_linear', density: 0.5, majoritySignMethod: 'total', rank: 3 },
        draw: seededDraw(seed),
      },
      module,
    );

  it('follow from the seed alone, and differ between modules', () => {
    expect(made(3)).toEqual(made(3));
    expect(made(4).A).not.toEqual(made(3).A);
    expect(made(3, 1).A).not.toEqual(made(3).A);
  });
});
