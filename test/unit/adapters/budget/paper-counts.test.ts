import { describe, expect, it } from 'vitest';
import { type BudgetModule, budgetOf } from '../../../../src/adapters/budget/budget';
import { comparedAdapters, countOf } from '../../../../src/adapters/budget/budget-comparison';
import type { AuroraError } from '../../../../src/base/errors';
import { adapterDefaults } from '../../../../src/experiment/adapter-defaults';
import {
  aboutMethod,
  type AuroraSpec,
  LAYER_METHODS,
  type MethodName,
  type TrainedSpec,
} from '../../../../src/experiment/methods';
import { PAPER_MODELS } from '../../../../src/recipes/model-shapes';
import { auroraSpec } from '../../specs';

type Of<M extends MethodName> = Extract<TrainedSpec, { method: M }>;
interface Size {
  n: number;
  m: number;
  path: string;
  hasBias?: boolean;
}

/** FRoD has one basis for layers of a name, whose sizes differ in SDXL. */
const allows = (id: string, method: MethodName): boolean => id !== 'sdxl' || method !== 'frod';

/** Trainable parameters of one layer with n inputs and m outputs, from the papers' formulas. */
const PER_LAYER: { [M in Exclude<MethodName, 'lily' | 'trainable-tokens'>]: (s: Of<M>, l: Size) => number } =
  {
    aurora: ({ rank: r, gridSize, splineOrder, spline }, { n, m }) =>
      r * (n + m) + r * r + (spline === 'per-pair' ? r * r : r) * (gridSize + splineOrder),
    lora: ({ rank: r }, { n, m }) => r * (n + m),
    moslora: ({ rank: r }, { n, m }) => r * (n + m) + r * r,
    dora: ({ rank: r }, { n, m }) => r * (n + m) + m,
    sinelora: ({ rank: r }, { n, m }) => r * (n + m),
    vera: ({ rank: r }, { m }) => r + m,
    fourierft: ({ frequencies }) => frequencies,
    // The singular values besides.
    adalora: ({ rank: r }, { n, m }) => r * (n + m + 1),
    lorafa: ({ rank: r }, { m }) => r * m,
    peanut: ({ rank: r, depth }, { m }) => 2 * r * m + 2 * depth * r * r,
    hira: ({ rank: r }, { n, m }) => r * (n + m),
    loha: ({ rank: r }, { n, m }) => 2 * r * (n + m),
    lokr: ({ rank: r, decomposeFactor }, { n, m }) => {
      const [l, k] = split(m, decomposeFactor);
      const [a, b] = split(n, decomposeFactor);
      return l * a + (r < Math.max(k, b) / 2 ? r * (k + b) : k * b);
    },
    delora: ({ rank: r }, { n, m }) => r * (n + m) + 1,
    randlora: ({ rank: r }, { n, m }) => Math.ceil(Math.min(n, m) / r) * (r + Math.min(n, m)),
    gralora: ({ rank: r, hybridR }, { n, m }) => (r + hybridR) * (n + m),
    c3a: ({ blockSize: b }, { n, m }) => (n / b) * (m / b) * b,
    shira: ({ rank: r }, { n, m }) => r * (n + m),
    ia3: ({ feedforwardModules }, { n, m, path }) =>
      (feedforwardModules as string[]).some((end) => path.endsWith(end)) ? n : m,
    miss: ({ rank: r }, { m }) => r * m,
    // n / b blocks, each with the upper triangle of a matrix (b, b).
    oft: ({ blockSize: b }, { n }) => (n / b) * ((b * (b - 1)) / 2),
    // n / b whole blocks for each factor, and a scale for each output.
    boft: ({ blockSize: b, nButterflyFactor }, { n, m }) => nButterflyFactor * (n / b) * b * b + m,
    // The lengths, and the places beside the diagonal.
    frod: ({ sparseRate }, { n }) => n + Math.min(Math.floor(sparseRate * n * n), n * n - n),
    bitfit: (_, { m }) => m,
    full: ({ trainBias }, { n, m }) => n * m + (trainBias ? m : 0),
  };

/** LoKr's sizes: with −1 those nearest to the square root, else the given divisor first. */
function split(size: number, factor: number): [number, number] {
  if (factor > 0) return [factor, size / factor];
  const first = Math.max(
    ...Array.from({ length: Math.floor(Math.sqrt(size)) }, (_, i) => i + 1).filter((d) => size % d === 0),
  );
  return [first, size / first];
}

/** Lily's matrices A and B are counted once for all layers that share them. */
function lilyCount({ rank: r, numB, strideA }: Of<'lily'>, layers: readonly Size[]): number {
  const groups = new Map<string, Size[]>();
  for (const layer of layers) {
    const key = `${layer.path.split('.').at(-1)} ${layer.n} ${layer.m}`;
    groups.set(key, [...(groups.get(key) ?? []), layer]);
  }
  return [...groups.values()].reduce(
    (sum, [{ n, m }, ...others]) =>
      sum + (others.length + 1) * numB * r + Math.ceil((others.length + 1) / strideA) * r * n + numB * r * m,
    0,
  );
}

function expected(spec: TrainedSpec, layers: readonly Size[]): number {
  if (spec.method === 'lily') return lilyCount(spec, layers);
  const of = PER_LAYER[spec.method as keyof typeof PER_LAYER] as (s: TrainedSpec, l: Size) => number;
  return layers.reduce((sum, layer) => sum + of(spec, layer), 0);
}

const sizesOf = (modules: readonly BudgetModule[], targets: readonly string[]): Size[] =>
  modules
    .filter(({ path }) => targets.some((name) => path.endsWith(`.${name}`)))
    .map(({ path, inFeatures: n, outFeatures: m, hasBias }) => ({ path, n, m, hasBias }));

describe.each(PAPER_MODELS)('on $name', ({ id, modules, targets }) => {
  const layers = sizesOf(modules, targets);
  const base: AuroraSpec = auroraSpec({ targetModules: targets });
  const own = countOf(modules, base);
  const hasBiases = modules.some((m) => m.hasBias);

  it.each(LAYER_METHODS.filter((method) => (method !== 'bitfit' || hasBiases) && allows(id, method)))(
    '%s has the number of parameters of its formula, at its default and at the budgets of a comparison',
    (method) => {
      const usual = { ...adapterDefaults(method), targetModules: targets } as unknown as TrainedSpec;
      const sized = comparedAdapters(modules, base, {
        methods: [method],
        multiples: [1, 4],
        ablations: false,
      });
      expect(own).toBe(expected(base, layers));
      // 256, C³A's default, does not divide SDXL's 640.
      const others = method === 'aurora' ? sized : sized.slice(1);
      const specs = id === 'sdxl' && method === 'c3a' ? others : [usual, ...others];
      // SDXL's query, key and value have no biases.
      const wanted = method === 'bitfit' ? layers.filter((l) => l.hasBias) : layers;
      for (const spec of specs as TrainedSpec[])
        expect(countOf(modules, spec), JSON.stringify(spec)).toBe(expected(spec, wanted));
      const { adapter, modules: counted } = budgetOf(modules, specs[0] as TrainedSpec, { tokens: 1 });
      expect(adapter.parameters).toBe(countOf(modules, specs[0]));
      expect(counted.map((m) => m.path)).toEqual(wanted.map((l) => l.path));
    },
  );

  it('every method with a size comes as near to the budgets as its steps allow', () => {
    for (const method of LAYER_METHODS.filter(
      (m) => m !== 'aurora' && aboutMethod(m).size && allows(id, m),
    )) {
      const [, ...specs] = comparedAdapters(modules, base, {
        methods: [method],
        multiples: [1, 4],
        ablations: false,
      });
      // A block size above 128 does not divide all layers of SDXL, and C³A's smallest number of parameters follows from it.
      const counts = specs.map((spec) => countOf(modules, spec) / own);
      if (id === 'sdxl' && method === 'c3a') expect(counts.every((n) => n > 2)).toBe(true);
      else
        counts.forEach((n, i) =>
          expect(Math.abs(Math.log2(n / [1, 4][i])), `${method} ${n}`).toBeLessThan(0.4),
        );
    }
  });
});

describe('layers that a method does not allow', () => {
  const sdxl = PAPER_MODELS.find((m) => m.id === 'sdxl')!;
  const refusal = (over: Partial<TrainedSpec> & { method: MethodName }): AuroraError | undefined => {
    const spec = {
      ...adapterDefaults(over.method),
      targetModules: sdxl.targets,
      ...over,
    } as unknown as TrainedSpec;
    try {
      budgetOf(sdxl.modules, spec, { tokens: 1 });
    } catch (e) {
      return e as AuroraError;
    }
    return undefined;
  };

  it.each<[Partial<TrainedSpec> & { method: MethodName }, RegExp]>([
    [{ method: 'c3a' }, /^adapter\.blockSize 256 does not divide .* 640 × 640/],
    [{ method: 'boft', blockSize: 7 }, /^adapter\.blockSize 7 does not fit .*must divide its 640 inputs/],
    [{ method: 'boft', blockNum: 7 }, /^adapter\.blockNum 7 does not fit /],
    [{ method: 'oft', blockSize: 1 }, /^adapter\.blockSize 1 leaves blocks of one input/],
    [{ method: 'gralora', rank: 9 }, /^adapter\.rank 9 is not a multiple of adapter\.graloraK 2/],
    [{ method: 'gralora', rank: 9, graloraK: 3 }, /^adapter\.graloraK 3 does not divide the sizes/],
    [{ method: 'miss', initWeights: 'bat', rank: 7 }, /^adapter\.rank 7 does not divide both sizes/],
    [{ method: 'miss', initWeights: 'mini', miniR: 7 }, /^adapter\.miniR 7 does not divide the 640 outputs/],
    [{ method: 'shira', rank: 400 }, /^adapter\.rank 400 is too large for SHiRA/],
  ])('are refused with the setting and the layer: %j', (spec, message) => {
    const e = refusal(spec);
    expect(e?.kind).toBe('rank');
    expect(e?.message).toMatch(message);
    expect(e?.hint).toBeTruthy();
  });

  it('OFT adjusts a size that does not divide, and counts the adjusted blocks', () => {
    const spec = {
      ...adapterDefaults('oft'),
      targetModules: ['to_q'],
      blockSize: 33,
    } as unknown as TrainedSpec;
    // 640 and 1280 are divided by 32.
    const layers = sizesOf(sdxl.modules, ['to_q']);
    expect(countOf(sdxl.modules, spec)).toBe(layers.reduce((sum, { n }) => sum + (n * 31) / 2, 0));
  });
});
