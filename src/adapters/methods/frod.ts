import { AuroraError } from '../../base/errors';
import { permuted, Stream } from '../../base/random';
import type { FrodSpec } from '../../experiment/methods';
import { DType } from '../../graph/dtype';
import { inverseTransposed, jointBasis } from './joint-basis';
import {
  type AdapterMethod,
  type LayerShape,
  layerText,
  type LayerValues,
  type Values,
  zeros,
} from './method';

/**
 * FRoD (AAAI 2026, doi 10.1609/aaai.v40i31.39813): W′ = U (S + diag(l)) Vᵀ in the place of W. V (in, in) is frozen, made of
 * the weights of all layers of a category, and shared by them (`joint-basis.ts`); the columns of U (out, in) are those of
 * W V⁻ᵀ at length 1, and l (in) starts as the lengths they had, so that W′ starts as W. S is zero except at ⌊sparseRate · in²⌋ random places beside
 * the diagonal, where its trained values start at 0. PEFT's defaults: sparseRate 0.01, α 0.001 (tuners/frod).
 *
 * PEFT's file has V and the places, but not U, which follows from V and W; here U is stored in checkpoints besides. The
 * places come from our own random numbers.
 */
export const frod: AdapterMethod<FrodSpec> = {
  tensors({ layer, spec }) {
    const { inFeatures, outFeatures } = layer;
    const { sparseRate, regularizationAlpha, projectionSeed } = spec;
    if (inFeatures < 2) throw tooSmall(layer);
    const count = placeCount(inFeatures, sparseRate);
    const category = categoryOf(layer.path ?? '');
    const frozen = { frozen: true as const, rankAxes: [] };
    const outside = (name: string) => ({
      ...frozen,
      peftName: name,
      outside: { key: (path: string) => `${name}.${categoryOf(path)}`, where: 'only' as const },
    });
    return [
      {
        ...outside('frod_V'),
        name: 'V',
        dims: [inFeatures, inFeatures],
        init: (_draw, _size, _base, { sharing }) =>
          jointBasis(
            sharing.map((base) => () => base.weight()),
            inFeatures,
            regularizationAlpha,
          ),
      },
      {
        ...outside('frod_s_indices'),
        name: 'places',
        dims: [2, count],
        integers: 'I64',
        init: () => placesOf(inFeatures, count, projectionSeed, category),
      },
      {
        ...outside('frod_s_size'),
        name: 'size',
        dims: [2],
        integers: 'I64',
        init: () => Float32Array.of(inFeatures, inFeatures),
      },
      {
        ...frozen,
        name: 'U',
        dims: [outFeatures, inFeatures],
        peftName: 'frod_U',
        follows: true,
        init(_draw, _size, base, { values }) {
          const { U, lengths } = onBasis(base.weight(), values.V, layer);
          known.set(U, lengths);
          return U;
        },
      },
      {
        name: 'l',
        dims: [inFeatures],
        rankAxes: [],
        peftName: 'frod_lambda_l',
        init: (_draw, _size, base, { values }) => startLengths(values, base, layer),
      },
      { name: 's', dims: [count], rankAxes: [], peftName: 'frod_lambda_s_values', init: zeros },
    ];
  },
  shared: ({ layer: { path = '' } }) => {
    const category = categoryOf(path);
    return { V: category, places: category, size: category };
  },

  delta(g, call, p, { layer: { inFeatures } }, dtype) {
    // S transposed, as it multiplies: places (i, j) are elements j · in + i.
    const size = g.op('Reshape', [g.op('Cast', [p.size], { to: DType.int64 }), g.ints([2, 1])]);
    const onlyColumns = g.op('Mul', [size, g.constant(DType.int64, [2, 1], [0, 1])]);
    const strides = g.op('Add', [onlyColumns, g.constant(DType.int64, [2, 1], [1, 0])]);
    const places = g.op('Cast', [p.places], { to: DType.int64 });
    const flat = g.op('ReduceSum', [g.op('Mul', [places, strides]), g.ints([0])], { keepdims: 0 });
    const none = g.op('Expand', [g.scalar(0, dtype), g.ints([inFeatures * inFeatures])]);
    const values = g.op('ScatterElements', [none, flat, p.s], { axis: 0 });
    const turned = g.op('Reshape', [values, g.ints([inFeatures, inFeatures])]);
    const z = g.op('MatMul', [call.x, p.V]);
    const scaled = g.op('Add', [g.op('Mul', [z, p.l]), g.op('MatMul', [z, turned])]);
    const whole = g.op('MatMul', [scaled, g.op('Transpose', [p.U])]);
    return { delta: g.op('Sub', [whole, call.product()]) };
  },

  change(values, { layer }, base) {
    const { inFeatures } = layer;
    const { V, U, l, s, places } = values;
    // (S + diag(l)) Vᵀ
    const inner = new Float64Array(inFeatures * inFeatures);
    const addRow = (row: number, column: number, by: number) => {
      for (let i = 0; i < inFeatures; i++) inner[row * inFeatures + i] += by * V[i * inFeatures + column];
    };
    for (let k = 0; k < inFeatures; k++) addRow(k, k, l[k]);
    for (let j = 0; j < s.length; j++) addRow(places[j], places[s.length + j], s[j]);
    const weight = product(U, inner, inFeatures);
    const before = base.weight();
    for (let i = 0; i < weight.length; i++) weight[i] -= before[i];
    return { weight };
  },
  neutral: (values, { layer }, base) => ({
    ...values,
    s: new Float32Array(values.s.length),
    l: startLengths(values, base, layer),
  }),
  sizeLimit: () => 1,
  /** All rates of two digits. */
  sizes: () =>
    [1e6, 1e5, 1e4, 1e3, 1e2].flatMap((of) => Array.from({ length: of === 1e2 ? 91 : 90 }, (_, i) => (10 + i) / of)),
  stated: ['regularizationAlpha', 'projectionSeed'],
  flops({ layer: { inFeatures, outFeatures } }) {
    const [square, out] = [2 * inFeatures ** 2, 2 * inFeatures * outFeatures];
    // Besides U, the gradients of S, of its input and of V's; all of S is computed, as a matrix.
    return { forward: 2 * square + out, backward: 3 * square + out, step: 2 * inFeatures ** 2 };
  },
  formula: () => 'in + ⌊sparseRate · in²⌋',

  peft: {
    type: 'FROD',
    loads: { since: '0.20' },
    write: (spec) => ({
      fan_in_fan_out: false,
      frod_dropout: spec.dropout,
      init_weights: true,
      layers_pattern: null,
      layers_to_transform: null,
      progressbar: true,
      projection_prng_key: spec.projectionSeed,
      regularization_alpha: spec.regularizationAlpha,
      runtime_offload_base_weight: false,
      save_projection: true,
      sparse_rate: spec.sparseRate,
    }),
    read: (c) => ({
      method: 'frod',
      sparseRate: c.number('sparse_rate', 0.01),
      regularizationAlpha: c.number('regularization_alpha', 1e-3),
      projectionSeed: c.number('projection_prng_key', 0),
      dropout: c.number('frod_dropout', 0),
    }),
  },
};

/** As in PEFT: the last two parts of the path, or the last one after a number; `attention.output.dense` is its own. */
function categoryOf(path: string): string {
  const [last, before, third] = path.split('.').reverse();
  if (before === undefined || /^\d+$/.test(before)) return last;
  const both = `${before}_${last}`;
  return both === 'output_dense' && third === 'attention' ? 'attention_output' : both;
}

/** At least one, and all beside the diagonal at most. */
const placeCount = (size: number, rate: number): number =>
  Math.max(1, Math.min(Math.floor(size * size * rate), size * (size - 1)));

/** Rows, then columns of the places. */
function placesOf(size: number, count: number, seed: number, category: string): Float32Array {
  const letters = Array.from(category, (letter) => letter.codePointAt(0)!);
  const order = permuted(size * (size - 1), seed, Stream.locations, ...letters);
  const places = new Float32Array(2 * count);
  for (let j = 0; j < count; j++) {
    const at = order.next().value!;
    const row = Math.floor(at / (size - 1));
    const column = at % (size - 1);
    places[j] = row;
    places[count + j] = column < row ? column : column + 1;
  }
  return places;
}

/** Lengths below it are 0, as in PEFT. */
const SMALLEST = 1e-12;

/** The columns of W V⁻ᵀ at length 1, (out, in), and their lengths. */
function onBasis(
  W: Float32Array,
  V: Float32Array,
  layer: LayerShape,
): { U: Float32Array; lengths: Float32Array } {
  const size = layer.inFeatures;
  const whole = product(W, inverseOf(V, layer), size);
  const squares = new Float64Array(size);
  whole.forEach((v, at) => (squares[at % size] += v * v));
  const lengths = squares.map(Math.sqrt);
  const U = Float32Array.from(whole, (v, at) => {
    const length = lengths[at % size];
    return length > SMALLEST ? v / length : 0;
  });
  return { U, lengths: Float32Array.from(lengths) };
}

/** The lengths of the columns of each U that was computed here. */
const known = new WeakMap<Float32Array, Float32Array>();

const startLengths = ({ U, V }: Values, base: LayerValues, layer: LayerShape): Float32Array =>
  known.get(U)?.slice() ?? onBasis(base.weight(), V, layer).lengths;

/** V⁻ᵀ of each V in use: all layers of a category need it. */
const inverses = new WeakMap<Float32Array, Float64Array>();

function inverseOf(V: Float32Array, layer: LayerShape): Float64Array {
  const found = inverses.get(V);
  if (found) return found;
  const inverse = inverseTransposed(V, layer.inFeatures);
  if (!inverse) throw singular(layer);
  inverses.set(V, inverse);
  return inverse;
}

/** A (rows, size) times B (size, size), in float64; of four rows at a time, so that B is read less often. */
function product(A: Float32Array, B: Float64Array, size: number): Float64Array {
  const out = new Float64Array(A.length);
  const even = A.length - (A.length % (4 * size));
  for (let from = 0; from < even; from += 4 * size) {
    const [first, second, third, fourth] = [0, 1, 2, 3].map((row) => from + row * size);
    for (let k = 0; k < size; k++) {
      const [a, b, c, d] = [A[first + k], A[second + k], A[third + k], A[fourth + k]];
      for (let i = 0, at = k * size; i < size; i++, at++) {
        const value = B[at];
        out[first + i] += a * value;
        out[second + i] += b * value;
        out[third + i] += c * value;
        out[fourth + i] += d * value;
      }
    }
  }
  for (let from = even; from < A.length; from += size)
    for (let k = 0; k < size; k++)
      for (let i = 0; i < size; i++) out[from + i] += A[from + k] * B[k * size + i];
  return out;
}

const tooSmall = (layer: LayerShape): AuroraError =>
  new AuroraError(
    'rank',
    `FRoD needs at least two inputs, but ${layerText(layer)} has one.`,
    'Leave the layer out with adapter.excludeModules.',
  );

const singular = (layer: LayerShape): AuroraError =>
  new AuroraError(
    'adapter',
    `The basis V of ${layerText(layer)} is singular, so its U cannot be computed.`,
    'Copy the adapter again, or train one here: bases that are computed here have an inverse.',
  );
