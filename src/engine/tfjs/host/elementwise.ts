import { attrInt } from '../../../graph/attributes';
import { DType, isFloat } from '../../../graph/dtype';
import { elementCount } from '../../../graph/model';
import type { HostTensor } from '../../stepper';
import type { Op, OpContext, OpTable } from '../op';
import { allOnHost } from '../value';
import { broadcastDims, broadcastOffsets } from './layout';
import { reductions } from './reductions';
import { fromNumbers, hostTensor, hostValue, numbersOf, pick } from './host-values';

type Combine = (a: number, b: number) => number;

/** @param to the result's type; the first input's by default */
const binary =
  (combine: (c: OpContext) => Combine, to?: number): Op =>
  (c) => {
    const [a, b] = [hostTensor(c, 0), hostTensor(c, 1)];
    return [combined(a, b, combine(c), to ?? a.dtype)];
  };

function combined(a: HostTensor, b: HostTensor, f: Combine, dtype: number) {
  const dims = broadcastDims(a.dims, b.dims);
  const [x, y] = [spread(a, dims), spread(b, dims)];
  return fromNumbers(
    dtype,
    dims,
    x.map((v, i) => f(v, y[i])),
  );
}

function spread(t: HostTensor, dims: number[]): Float64Array {
  const values = numbersOf(t);
  return values.length === elementCount(dims)
    ? values
    : Float64Array.from(broadcastOffsets(t.dims, dims), (i) => values[i]);
}

/** Any number of inputs, left to right. */
const folded =
  (f: Combine): Op =>
  (c) => {
    const parts = c.inputs.map((_, i) => hostTensor(c, i));
    const values = parts.map((t) => hostValue(t));
    return [
      values.reduce((a, b) =>
        a.on === 'host' && b.on === 'host' ? combined(a.tensor, b.tensor, f, parts[0].dtype) : a,
      ),
    ];
  };

const unary =
  (f: (x: number) => number, to?: number): Op =>
  (c) => {
    const t = hostTensor(c, 0);
    return [fromNumbers(to ?? t.dtype, t.dims, numbersOf(t).map(f))];
  };

const compare = (f: (a: number, b: number) => boolean): Op =>
  binary(() => (a, b) => (f(a, b) ? 1 : 0), DType.bool);

/** Python's remainder, or C's if `fmod` is set. */
const mod = (c: OpContext): Combine =>
  attrInt(c.node, 'fmod', 0) ? (a, b) => a % b : (a, b) => a - Math.floor(a / b) * b;

/** Half to even, as in IEEE. */
const round = (x: number): number => {
  const down = Math.floor(x);
  return x - down === 0.5 ? (down % 2 === 0 ? down : down + 1) : Math.round(x);
};

const cast: Op = (c) => {
  const t = hostTensor(c, 0);
  const to = c.node.opType === 'CastLike' ? c.dtype(1) : attrInt(c.node, 'to', DType.float);
  return [to === t.dtype ? hostValue(t) : fromNumbers(to, t.dims, numbersOf(t))];
};

const clip: Op = (c) => {
  const t = hostTensor(c, 0);
  const bound = (i: number, otherwise: number) => (c.has(i) ? numbersOf(hostTensor(c, i))[0] : otherwise);
  const [low, high] = [bound(1, -Infinity), bound(2, Infinity)];
  return [
    fromNumbers(
      t.dtype,
      t.dims,
      numbersOf(t).map((v) => Math.min(high, Math.max(low, v))),
    ),
  ];
};

const where: Op = (c) => {
  const [condition, a, b] = [0, 1, 2].map((i) => hostTensor(c, i));
  const dims = broadcastDims(condition.dims, a.dims, b.dims);
  const yes = spread(condition, dims);
  const [x, y] = [a, b].map((t) => broadcastOffsets(t.dims, dims));
  const out = pick(a, dims, x);
  if (out.on === 'host')
    yes.forEach((v, i) => {
      if (v === 0) out.tensor.data[i] = b.data[y[i]] as never;
    });
  return [out];
};

const elementwise: OpTable = {
  Add: binary(() => (a, b) => a + b),
  Sub: binary(() => (a, b) => a - b),
  Mul: binary(() => (a, b) => a * b),
  Div: binary((c) => (isFloat(c.dtype(0)) ? (a, b) => a / b : (a, b) => Math.trunc(a / b))),
  Mod: binary(mod),
  Pow: binary(() => (a, b) => a ** b),
  Max: folded(Math.max),
  Min: folded(Math.min),
  Sum: folded((a, b) => a + b),
  Equal: compare((a, b) => a === b),
  Less: compare((a, b) => a < b),
  LessOrEqual: compare((a, b) => a <= b),
  Greater: compare((a, b) => a > b),
  GreaterOrEqual: compare((a, b) => a >= b),
  And: compare((a, b) => a !== 0 && b !== 0),
  Or: compare((a, b) => a !== 0 || b !== 0),
  Xor: compare((a, b) => (a !== 0) !== (b !== 0)),
  Not: unary((x) => (x === 0 ? 1 : 0), DType.bool),
  IsNaN: unary((x) => (Number.isNaN(x) ? 1 : 0), DType.bool),
  Neg: unary((x) => -x),
  Abs: unary(Math.abs),
  Sign: unary(Math.sign),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Round: unary(round),
  Sqrt: unary(Math.sqrt),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Sin: unary(Math.sin),
  Cos: unary(Math.cos),
  Reciprocal: unary((x) => 1 / x),
  Cast: cast,
  CastLike: cast,
  Clip: clip,
  Where: where,
};

/** Operators that are plain arithmetic if all inputs are on the host. */
const HOST: OpTable = { ...elementwise, ...reductions };

/**
 * Keeps operators on the host if all their inputs are: shapes, indices and masks are then known before the next
 * operator needs them, and keep int64's range.
 */
export const preferHost = (device: OpTable): OpTable =>
  Object.fromEntries(
    [...new Set([...Object.keys(device), ...Object.keys(HOST)])].map((name) => [
      name,
      choose(device[name], HOST[name]),
    ]),
  );

const choose = (device: Op | undefined, host: Op | undefined): Op =>
  host && device ? (c) => (allOnHost(c) ? host(c) : device(c)) : (device ?? host)!;
