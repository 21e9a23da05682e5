import { describe, expect, it } from 'vitest';
import { injectAdapters, storedTensors } from '../../../src/adapters/inject';
import { layerChange, mergeAdapters } from '../../../src/adapters/merge';
import { factorization } from '../../../src/adapters/methods/lokr';
import { adapterScale, methodOf } from '../../../src/adapters/methods/registry';
import { lowRankProduct } from '../../../src/adapters/methods/low-rank';
import { layerValues } from '../../../src/adapters/methods/layer-values';
import { ownValues } from '../../../src/adapters/merge';
import { type LayerAdapter, parameterCount, selectAdapters } from '../../../src/adapters/targets/select';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { INTERNAL_OPSET, type Model } from '../../../src/graph/model';
import { tensorOf } from '../../../src/graph/values';
import type { MethodName, TrainedSpec } from '../../../src/experiment/methods';
import { defaultAdapter } from '../../../src/recipes/draft';
import { perturbed } from '../../../src/training/task/initialize';
import { host, input, model, node, runModel } from '../graph/onnx-models';

/** 0, 1, … as numbers of float32 that PyTorch had too. */
const wave = (size: number, k: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(1 + 0.7 * i + 13 * k));

/** The layer `dense` on rows (batch, tokens, in) or, as a Gemm that halves the product, on rows (batch, in). */
function layerModel(inFeatures: number, outFeatures: number, op: 'MatMul' | 'Gemm' = 'MatMul'): Model {
  const ofLinear = wave(inFeatures * outFeatures, 0).map((v) => v / 2);
  const stored = new Float32Array(ofLinear.length);
  for (let o = 0; o < outFeatures; o++)
    for (let i = 0; i < inFeatures; i++) stored[i * outFeatures + o] = ofLinear[o * inFeatures + i];
  const isGemm = op === 'Gemm';
  return model({
    opset: INTERNAL_OPSET,
    inputs: [input('x', DType.float, isGemm ? ['batch', inFeatures] : ['batch', 'tokens', inFeatures])],
    nodes: [
      {
        ...node(op, ['x', 'w'], ['y'], isGemm ? { transB: 1, alpha: { float: 0.5 } } : {}),
        name: `/dense/${op}`,
      },
    ],
    outputs: ['y'],
    initializers: [
      isGemm
        ? tensorOf('w', DType.float, [outFeatures, inFeatures], ofLinear)
        : tensorOf('w', DType.float, [inFeatures, outFeatures], stored),
    ],
  });
}

interface Adapted {
  base: Model;
  adapter: LayerAdapter;
  adapters: LayerAdapter[];
}

function adapted(base: Model, method: MethodName, over: object): Adapted {
  const spec = { ...defaultAdapter(method), targetModules: ['dense'], ...over } as TrainedSpec;
  const { adapters } = selectAdapters(base.graph, findLinearLayers(base.graph), spec);
  return { base, adapter: adapters[0], adapters };
}

/** Values that PyTorch was given too: tensors in PEFT's order. Frozen ones start as they must. */
function waves({ adapter, adapters }: Adapted): Map<string, Float32Array> {
  const values = layerValues(adapter.layer);
  const none = { uniform: () => 0, normal: () => 0 };
  return new Map(
    storedTensors(adapters).map(({ name, tensor }, k) => {
      const size = tensor.dims.reduce((a, b) => a * b, 1);
      return [
        name,
        tensor.frozen
          ? tensor.init(none, size, values, { values: {}, sharing: [values] })
          : wave(size, k + 1),
      ];
    }),
  );
}

const SHAPES = [
  [7, 5],
  [5, 12],
  [6, 6],
  [24, 36],
] as const;

const SETTINGS: [MethodName, object][] = [
  ['peanut', { rank: 3 }],
  ['peanut', { rank: 2, depth: 2, actFn: 'silu', scaling: 0.7 }],
  ['peanut', { rank: 9, depth: 1, actFn: 'gelu_new' }],
  ['hira', { rank: 3 }],
  ['hira', { rank: 20 }],
  ['loha', { rank: 1, alpha: 3 }],
  ['loha', { rank: 4, alpha: 3 }],
  ['lokr', { rank: 1, alpha: 2 }],
  ['lokr', { rank: 1, alpha: 2, decomposeBoth: true }],
  ['lokr', { rank: 2, alpha: 2, decomposeFactor: 6 }],
  ['lokr', { rank: 40, alpha: 20 }],
  ['delora', { rank: 3, lambda: 2 }],
];

describe.each(SETTINGS)('%s %o', (method, over) => {
  describe.each(SHAPES)('from %i to %i', (inFeatures, outFeatures) => {
    it.each(['MatMul', 'Gemm'] as const)('computes in a %s what it merges', async (op) => {
      const base = layerModel(inFeatures, outFeatures, op);
      const { adapters, adapter } = adapted(base, method, over);
      const values = perturbed(waves({ base, adapter, adapters }), 3);
      const { graph } = injectAdapters(base.graph, adapters, DType.float);
      const g = new GraphBuilder(graph, '/values');
      for (const { name, tensor } of storedTensors(adapters))
        g.addInitializer(tensorOf(name, DType.float, tensor.dims, values.get(name)!));
      const dims = op === 'Gemm' ? [3, inFeatures] : [2, 3, inFeatures];
      const feeds = {
        x: host(dims, [
          ...wave(
            dims.reduce((a, b) => a * b),
            9,
          ),
        ]),
      };
      const y = async (of: Model) => (await runModel(of, feeds)).y.data as Float32Array;
      const [plain, unmerged] = [await y(base), await y({ ...base, graph: g.graph })];
      const merged = await y(mergeAdapters(base, adapters, values));
      const largest = Math.max(...merged.map(Math.abs));
      expect(Math.max(...merged.map((v, i) => Math.abs(v - unmerged[i])))).toBeLessThan(2e-6 * largest);
      expect(Math.max(...merged.map((v, i) => Math.abs(v - plain[i])))).toBeGreaterThan(1e-3 * largest);
    });
  });
});

it.each(SETTINGS.filter(([method]) => ['peanut', 'delora'].includes(method)))(
  '%s %o is a product of low rank',
  (method, over) => {
    const of = adapted(layerModel(10, 6), method, over);
    const values = waves(of);
    const { adapter } = of;
    const own = ownValues(adapter, values);
    const { A, B } = methodOf(adapter.spec).lowRank!(own, adapter, layerValues(adapter.layer));
    const product = lowRankProduct(B, A, adapter.layer, adapterScale(adapter.spec));
    const { weight } = layerChange(adapter, values);
    product.forEach((v, i) => expect(v).toBeCloseTo(weight![i], 5));
  },
);

/** Sizes, settings, the first four numbers of ΔW and its norm by PEFT's own layers in PyTorch, in float64, of `wave`s. */
const BY_PEFT: [MethodName, [number, number], object, number[], number][] = [
  [
    'lokr',
    [20, 12],
    { rank: 1, alpha: 3, decomposeBoth: true },
    [0.838468571, -0.611506831, -1.77388095, -2.1019712],
    10.9421429,
  ],
  [
    'lokr',
    [20, 12],
    { rank: 2, alpha: 3, decomposeBoth: true, decomposeFactor: 4 },
    [0.684453154, 0.373652311, -0.112883056, -0.546327802],
    6.13511808,
  ],
  [
    'lokr',
    [12, 20],
    { rank: 3, alpha: 2, decomposeFactor: 5 },
    [0.631595388, 0.358781915, -0.0827722594, -0.485397351],
    5.3678114,
  ],
  [
    'lokr',
    [24, 18],
    { rank: 1, alpha: 8, decomposeBoth: true, decomposeFactor: 7 },
    [2.23591619, -1.63068488, -4.73034921, -5.60525653],
    37.0197968,
  ],
  [
    'lokr',
    [7, 13],
    { rank: 2, alpha: 4, decomposeBoth: true },
    [2.26667232, 1.340888, -0.215536983, -1.67059155],
    14.5769087,
  ],
  [
    'lokr',
    [12, 36],
    { rank: 2, alpha: 1, decomposeFactor: 8 },
    [0.103923766, -0.0583749359, -0.193219008, -0.237189174],
    2.67874179,
  ],
  ['loha', [10, 6], { rank: 2, alpha: 5 }, [0.879678057, -0.348985024, 1.44083491, 3.27791908], 14.7065793],
  [
    'loha',
    [6, 10],
    { rank: 4, alpha: 3 },
    [0.0747461372, 0.188496539, 0.119943701, -0.0171101712],
    0.584227667,
  ],
  ['hira', [10, 6], { rank: 2 }, [0.589840725, 0.478379431, 0.0249626809, -0.0177079028], 2.48207434],
  ['hira', [6, 10], { rank: 9 }, [-0.0167655718, 0.00225439065, 0.0158069328, 0.0013939409], 0.118084508],
  ['delora', [10, 6], { rank: 2 }, [0.123493854, 0.0833374917, 0.00346260242, -0.062936479], 0.59404114],
  ['delora', [6, 10], { rank: 5 }, [0.0196136974, 0.0100756964, -0.0043627738, -0.0154704111], 0.0970407985],
];

/** PEANuT from 10 to 6 with rank 3, depth 2 and scaling 0.5. */
const PEANUT: [string, number[], number][] = [
  ['relu', [0.768980314, 0.783670611, 0.505964014, 0.243138529], 8.65929602],
  ['relu2', [714.67235, 1338.70414, 0.421231762, 1.40695753], 7130.19599],
  ['relu6', [0.768980314, 0.783670611, 0.505964014, 0.243138529], 8.65929602],
  ['leaky_relu', [0.756281932, 0.768944535, 0.492170995, 0.228673506], 8.48145624],
  ['gelu', [0.588390053, 0.603028106, 0.285111418, -0.0936466641], 4.19676176],
  ['gelu_new', [0.588360871, 0.602950901, 0.285033771, -0.0937693212], 4.19429957],
  ['gelu_pytorch_tanh', [0.588360871, 0.602950901, 0.285033771, -0.0937693212], 4.19429957],
  ['quick_gelu', [0.587541651, 0.601459668, 0.284439344, -0.084586273], 4.2130626],
  ['silu', [0.556288994, 0.544994748, 0.230854753, -0.162769554], 2.88566056],
  ['swish', [0.556288994, 0.544994748, 0.230854753, -0.162769554], 2.88566056],
  ['mish', [0.563695253, 0.553632181, 0.262837725, -0.156370063], 3.74853366],
  ['hardswish', [0.545712469, 0.517147621, 0.186857721, -0.181550717], 2.50871703],
  ['tanh', [0.420083552, 0.22994166, 0.0836240034, -0.40970692], 2.74037752],
  ['sigmoid', [0.661561067, 0.615099964, 0.533922924, 0.409632494], 7.40288018],
  ['linear', [0.658873208, 0.436879541, 0.00941459026, -0.422478176], 4.56294019],
];

const cases: typeof BY_PEFT = [
  ...BY_PEFT,
  ...PEANUT.map(([actFn, first, norm]): (typeof BY_PEFT)[number] => [
    'peanut',
    [10, 6],
    { rank: 3, depth: 2, scaling: 0.5, actFn },
    first,
    norm,
  ]),
];

describe('settings besides those of the reference cases', () => {
  it.each(cases)(
    'give the change of PEFT: %s %o %o',
    async (method, [inFeatures, outFeatures], over, first, norm) => {
      const base = layerModel(inFeatures, outFeatures);
      const of = adapted(base, method, over);
      const values = waves(of);
      const weight = Array.from(layerChange(of.adapter, values).weight!);
      const near = (v: number, wanted: number) => expect(Math.abs(v - wanted)).toBeLessThan(2e-6 * norm);
      first.forEach((wanted, i) => near(weight[i], wanted));
      near(Math.hypot(...weight), norm);
      // The graph, on the identity.
      const { graph } = injectAdapters(base.graph, of.adapters, DType.float);
      const g = new GraphBuilder(graph, '/values');
      for (const { name, tensor } of storedTensors(of.adapters))
        g.addInitializer(tensorOf(name, DType.float, tensor.dims, values.get(name)!));
      const identity = Array.from({ length: inFeatures ** 2 }, (_, i) =>
        i % (inFeatures + 1) === 0 ? 1 : 0,
      );
      const feeds = { x: host([1, inFeatures, inFeatures], identity) };
      const [plain, changed] = [
        await runModel(base, feeds),
        await runModel({ ...base, graph: g.graph }, feeds),
      ];
      const delta = Array.from(
        changed.y.data as Float32Array,
        (v, i) => v - (plain.y.data as Float32Array)[i],
      );
      first.forEach((wanted, i) => near(delta[i * outFeatures], wanted));
      near(Math.hypot(...delta), norm);
    },
  );
});

describe('the factors of LoKr', () => {
  it.each([
    [768, -1, 24, 32],
    [3072, -1, 48, 64],
    [127, -1, 1, 127],
    [24, 4, 4, 6],
    [24, 5, 4, 6],
    [24, 10, 4, 6],
    [24, 48, 4, 6],
    [24, 0, 1, 24],
    [36, 8, 6, 6],
    [10, 4, 2, 5],
    [12, 12, 12, 1],
    [1, -1, 1, 1],
    [16, -1, 4, 4],
  ])('of %i with the factor %i are those of PEFT', (size, factor, first, second) => {
    expect(factorization(size, factor)).toEqual([first, second]);
  });

  it.each([
    [{ rank: 5, decomposeFactor: -1 }, 24 * 24 + 5 * 64],
    [{ rank: 16, decomposeFactor: -1 }, 24 * 24 + 32 * 32],
    [{ rank: 11, decomposeFactor: -1, decomposeBoth: true }, 11 * 48 + 11 * 64],
    [{ rank: 12, decomposeFactor: -1, decomposeBoth: true }, 24 * 24 + 12 * 64],
    [{ rank: 5, decomposeFactor: 4 }, 4 * 4 + 5 * 384],
  ])('have %o: %i parameters on 768 × 768', (over, expected) => {
    expect(parameterCount(adapted(layerModel(768, 768), 'lokr', over).adapters)).toBe(expected);
  });
});

it('PEANuT, HiRA, LoHa, LoKr and DeLoRA take ranks above the sizes of a layer, as PEFT does', () => {
  for (const method of ['peanut', 'hira', 'loha', 'lokr', 'delora'] as const)
    expect(adapted(layerModel(7, 5), method, { rank: 9 }).adapters).toHaveLength(1);
  expect(() => adapted(layerModel(7, 5), 'lora', { rank: 9 })).toThrow(/rank 9 is too large/);
});

it('DeLoRA counts norms below 1e-4 as 1e-4, so that it starts without a change', () => {
  const of = adapted(layerModel(4, 3), 'delora', { rank: 1, lambda: 2 });
  const values = waves(of);
  const norm = values.get('dense.norm')!;
  values.set('dense.A', Float32Array.of(1, 0, 0, 0));
  values.set('dense.B', Float32Array.of(2e-5, 0, 0));
  values.set('dense.lambda', Float32Array.of(2));
  const { weight } = layerChange(of.adapter, values);
  expect(weight![0]).toBeCloseTo(2 * 0.2 * norm[0], 6);
  values.set('dense.B', new Float32Array(3));
  expect(Array.from(layerChange(of.adapter, values).weight!, Math.abs)).toEqual(new Array(12).fill(0));
});
