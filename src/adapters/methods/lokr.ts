import type { LokrSpec } from '../../experiment/methods';
import type { GraphBuilder } from '../../graph/builder';
import { lowRankProduct, productFlops } from './low-rank';
import {
  type AdapterMethod,
  type AdapterTensor,
  kaimingUniform,
  type LayerShape,
  type OnLayer,
  type Values,
  zeros,
} from './method';

const scaleOf = ({ alpha, rank }: LokrSpec): number => alpha / rank;

/**
 * LoKr (LyCORIS, Yeh et al., arXiv 2309.14859): ΔW = s · w1 ⊗ w2, a Kronecker product: ΔW[l·K + k, m·N + n] = s · w1[l, m]
 * · w2[k, n]. Each factor is a whole matrix, or a product of rank r where that is smaller. s = alpha / r also if both
 * are whole. As in tuners/lokr/layer.py of PEFT, without its rank_dropout and module_dropout.
 *
 * With the inputs as a matrix X (M, N), ΔW x is w1 X w2ᵀ (L, K): neither ΔW nor a factor is built. Which tensors there are
 * depends on the rank, so no axis of them is free in graphs for any rank.
 */
export const lokr: AdapterMethod<LokrSpec> = {
  tensors(on) {
    const { L, K, M, N, splits1, splits2 } = partsOf(on);
    const { rank } = on.spec;
    const tensor = (name: string, dims: number[], init = kaimingUniform(dims[1])): AdapterTensor => ({
      name,
      dims,
      rankAxes: [],
      peftName: `lokr_${name}`,
      init,
    });
    return [
      ...(splits1
        ? [tensor('w1_a', [L, rank], zeros), tensor('w1_b', [rank, M])]
        : [tensor('w1', [L, M], zeros)]),
      ...(splits2 ? [tensor('w2_a', [K, rank]), tensor('w2_b', [rank, N])] : [tensor('w2', [K, N])]),
    ];
  },

  delta(g, { x }, p, on, dtype) {
    const { L, K, M, N } = partsOf(on);
    const scale = p.scale ?? g.scalar(scaleOf(on.spec), dtype);
    const reshaped = (t: string, ...dims: number[]) => g.op('Reshape', [t, g.ints([-1, ...dims])]);
    const turned = (t: string, rows: number, columns: number) =>
      g.op('Transpose', [reshaped(t, rows, columns)], { perm: [0, 2, 1] });
    // Products of plain rows: ONNX Runtime's products of batches fail where an expert has no token.
    const second = factorTimes(g, reshaped(x, N), p, 'w2');
    const first = factorTimes(g, reshaped(turned(second, M, K), M), p, 'w1');
    const result = turned(g.op('Mul', [first, scale]), K, L);
    const shape = g.op('Concat', [g.op('Shape', [x], { end: -1 }), g.ints([L * K])], { axis: 0 });
    return { delta: g.op('Reshape', [result, shape]) };
  },

  change(values, on) {
    const { L, K, M, N } = partsOf(on);
    const { inFeatures, outFeatures } = on.layer;
    const w1 = factor(values, 'w1', L, M);
    const w2 = factor(values, 'w2', K, N);
    const scale = scaleOf(on.spec);
    const weight = new Float32Array(outFeatures * inFeatures);
    for (let o = 0; o < outFeatures; o++)
      for (let i = 0; i < inFeatures; i++) {
        const first = w1[Math.floor(o / K) * M + Math.floor(i / N)];
        weight[o * inFeatures + i] = scale * first * w2[(o % K) * N + (i % N)];
      }
    return { weight };
  },
  scale: scaleOf,
  neutral(values) {
    const first = values.w1 ? 'w1' : 'w1_a';
    return { ...values, [first]: new Float32Array(values[first].length) };
  },
  // As in PEFT: from some rank on, the factors are whole.
  sizeLimit: () => Infinity,
  sizes(layers, spec) {
    const sides = layers.flatMap((layer) => {
      const { L, K, M, N } = shapeOf(layer, spec);
      return [K, N, ...(spec.decomposeBoth ? [L, M] : [])];
    });
    // From half of the largest size on, all factors are whole; the number does not always grow up to there.
    return Array.from({ length: Math.ceil(Math.max(1, ...sides) / 2) }, (_, i) => i + 1);
  },
  reaching(spec, layers, parameters) {
    const factors = [spec.decomposeFactor, ...FACTORS.filter((factor) => factor < largest(layers, spec))];
    const specs = factors.map((decomposeFactor) => ({ ...spec, decomposeFactor }));
    return specs.find((of) => wholeCount(layers, of) >= parameters) ?? specs.at(-1)!;
  },
  stated: ['decomposeBoth', 'decomposeFactor'],
  flops(on) {
    const { L, K, M, N, splits1, splits2 } = partsOf(on);
    const { rank } = on.spec;
    const second = M * (splits2 ? rank * (K + N) : K * N);
    const first = K * (splits1 ? rank * (L + M) : L * M);
    const { forward, backward } = productFlops(first + second);
    return { forward: forward + L * K, backward: backward + L * K };
  },
  formula: ({ decomposeBoth }) =>
    `${decomposeBoth ? 'L·M or r(L + M)' : 'L·M'}, and K·N or r(K + N); out = L·K, in = M·N`,

  peft: {
    type: 'LOKR',
    loads: { since: '0.6', linearOnly: true },
    lacks: ['bias'],
    alphaKey: 'alpha',
    parts: ['lokr_w1', 'lokr_w1_a', 'lokr_w1_b', 'lokr_w2', 'lokr_w2_a', 'lokr_w2_b'],
    write: (spec) => ({
      alpha: spec.alpha,
      decompose_both: spec.decomposeBoth,
      decompose_factor: spec.decomposeFactor,
      init_weights: true,
      layers_pattern: null,
      layers_to_transform: null,
      module_dropout: 0,
      rank_dropout: 0,
      rank_dropout_scale: false,
      use_effective_conv2d: false,
    }),
    read: (c) => ({
      method: 'lokr',
      rank: c.number('r'),
      alpha: c.number('alpha'),
      decomposeBoth: c.flag('decompose_both', false),
      decomposeFactor: c.number('decompose_factor', -1),
    }),
  },
};

/** The sizes of the factors, w1 (L, M) and w2 (K, N), and which of them are products of rank r. */
interface Parts {
  L: number;
  K: number;
  M: number;
  N: number;
  splits1: boolean;
  splits2: boolean;
}

function partsOf({ layer, spec }: OnLayer<LokrSpec>): Parts {
  const shape = shapeOf(layer, spec);
  const { L, K, M, N } = shape;
  return {
    ...shape,
    splits1: spec.decomposeBoth && spec.rank < Math.max(L, M) / 2,
    splits2: spec.rank < Math.max(K, N) / 2,
  };
}

function shapeOf({ inFeatures, outFeatures }: LayerShape, { decomposeFactor }: LokrSpec) {
  const [L, K] = factorization(outFeatures, decomposeFactor);
  const [M, N] = factorization(inFeatures, decomposeFactor);
  return { L, K, M, N };
}

/**
 * Two numbers whose product is `size`. A factor that divides it is the first, even if it is the larger one; otherwise the
 * first is the smaller one, as close to the other as possible and at most the factor. With the factor −1, only as close
 * as possible.
 */
export function factorization(size: number, factor: number): [number, number] {
  if (factor > 0 && size % factor === 0) return [factor, size / factor];
  const most = Math.min(Math.floor(Math.sqrt(size)), factor === -1 ? size : factor);
  for (let first = most; first > 1; first--) if (size % first === 0) return [first, size / first];
  return [1, size];
}

/** First sizes that make ever larger second factors, for budgets that squares do not reach. */
const FACTORS = [16, 8, 4, 2, 1];

/** The largest size of a first factor. */
const largest = (layers: readonly LayerShape[], spec: LokrSpec): number =>
  Math.max(...layers.map((layer) => Math.max(shapeOf(layer, spec).L, shapeOf(layer, spec).M)));

/** The number of parameters with two whole factors. */
function wholeCount(layers: readonly LayerShape[], spec: LokrSpec): number {
  let sum = 0;
  for (const layer of layers) {
    const { L, K, M, N } = shapeOf(layer, spec);
    sum += L * M + K * N;
  }
  return sum;
}

/** x wᵀ for rows x and a factor w, whole or split. */
function factorTimes(g: GraphBuilder, x: string, p: Record<string, string>, name: 'w1' | 'w2'): string {
  const times = (of: string, w: string) => g.op('MatMul', [of, g.op('Transpose', [w])]);
  return p[name] ? times(x, p[name]) : times(times(x, p[`${name}_b`]), p[`${name}_a`]);
}

function factor(values: Values, name: 'w1' | 'w2', outFeatures: number, inFeatures: number): Float32Array {
  const whole = values[name] as Float32Array | undefined;
  return whole ?? lowRankProduct(values[`${name}_a`], values[`${name}_b`], { inFeatures, outFeatures }, 1);
}
