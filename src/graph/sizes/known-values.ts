import { attrInt } from '../attributes';
import { DType, isFloat } from '../dtype';
import { elementCount } from '../model';
import { tensorNumbers } from '../values';
import { broadcastDims, type SizeContext } from './size-rule';
import { sliced } from './view-sizes';

/** The most values that are kept: larger tensors are not sizes, axes or indices. */
export const MOST_VALUES = 1024;

type Values = (c: SizeContext, dims: readonly number[]) => number[];

const first: Values = (c) => c.ints(0);

/** The position in a tensor of sizes `from` that broadcasting to `dims` reads at each place. */
function places(from: readonly number[], dims: readonly number[]): number[] {
  const lead = dims.length - from.length;
  let at = [0];
  dims.forEach((size, axis) => {
    const own = axis < lead ? 1 : from[axis - lead];
    at = at.flatMap((p) => Array.from({ length: size }, (_, k) => p * own + (own === 1 ? 0 : k)));
  });
  return at;
}

const combine =
  (f: (...parts: number[]) => number): Values =>
  (c) => {
    const inputs = Array.from({ length: c.count }, (_, i) => ({ dims: c.dims(i), values: c.ints(i) }));
    const dims = broadcastDims(inputs.map((t) => t.dims));
    const spread = inputs.map((t) => places(t.dims, dims).map((p) => t.values[p]));
    return spread[0].map((_, k) => f(...spread.map((s) => s[k])));
  };

const yes = (condition: boolean): number => (condition ? 1 : 0);

const isWhole = (c: SizeContext): boolean =>
  c.input(0).dtype !== DType.float && c.input(0).dtype !== DType.double;

/** Only along the first axis: of vectors of sizes, and of their elements. */
const gather: Values = (c) => {
  const dims = c.dims(0);
  if (c.axis(0) !== 0) throw c.unknown();
  const row = elementCount(dims.slice(1));
  const all = c.ints(0);
  return c.ints(1).flatMap((i) => {
    const at = (i < 0 ? i + dims[0] : i) * row;
    return all.slice(at, at + row);
  });
};

const slice: Values = (c) => {
  if (c.dims(0).length !== 1) throw c.unknown();
  const step = c.has(4) ? c.ints(4)[0] : 1;
  const [begin, count] = sliced(c.dims(0)[0], c.ints(1)[0], c.ints(2)[0], step);
  return Array.from({ length: count }, (_, i) => c.ints(0)[begin + i * step]);
};

const concat: Values = (c) => {
  if (c.dims(0).length !== 1) throw c.unknown();
  return Array.from({ length: c.count }, (_, i) => c.ints(i)).flat();
};

const shape: Values = (c) => {
  const dims = c.dims(0);
  return dims.slice(attrInt(c.node, 'start', 0), attrInt(c.node, 'end', dims.length));
};

const filled: Values = (c, dims) => {
  const value = c.node.attributes.get('value');
  const fill = value?.type === 'tensor' ? tensorNumbers(value.value)[0] : 0;
  return new Array<number>(elementCount(dims)).fill(fill);
};

/** A choice between a tensor and itself is a barrier. */
const choose = combine((condition, a, b) => (condition ? a : b));

/** Operators whose result may be known though an input's values are not. */
export const FROM_SIZES: ReadonlySet<string> = new Set(['Shape', 'Size', 'Where']);

/** Operators that compute sizes, axes and indices, on plain numbers. */
export const KNOWN: Record<string, Values> = {
  Shape: shape,
  Size: (c) => [elementCount(c.dims(0))],
  Identity: first,
  Reshape: first,
  Squeeze: first,
  Unsqueeze: first,
  Flatten: first,
  Gather: gather,
  Slice: slice,
  Concat: concat,
  ConstantOfShape: filled,
  Expand: (c, dims) => places(c.dims(0), dims).map((p) => c.ints(0)[p]),
  Range: (c, dims) => Array.from({ length: dims[0] }, (_, i) => c.ints(0)[0] + i * c.ints(2)[0]),
  Cast: (c) => {
    const to = attrInt(c.node, 'to', DType.float);
    if (to === DType.bool) return c.ints(0).map((v) => yes(v !== 0));
    return isFloat(to) ? c.ints(0) : c.ints(0).map(Math.trunc);
  },
  Add: combine((a, b) => a + b),
  Sub: combine((a, b) => a - b),
  Mul: combine((a, b) => a * b),
  Div: (c) => combine(isWhole(c) ? (a, b) => Math.trunc(a / b) : (a, b) => a / b)(c, []),
  Mod: combine((a, b) => a - Math.floor(a / b) * b),
  Max: combine(Math.max),
  Min: combine(Math.min),
  Neg: combine((a) => -a),
  Sqrt: combine(Math.sqrt),
  Floor: combine(Math.floor),
  Ceil: combine(Math.ceil),
  Equal: combine((a, b) => yes(a === b)),
  Less: combine((a, b) => yes(a < b)),
  Greater: combine((a, b) => yes(a > b)),
  Not: combine((a) => yes(a === 0)),
  Where: (c, dims) => (c.node.inputs[1] === c.node.inputs[2] ? c.ints(1) : choose(c, dims)),
  ReduceProd: (c) => [c.ints(0).reduce((a, b) => a * b, 1)],
};
