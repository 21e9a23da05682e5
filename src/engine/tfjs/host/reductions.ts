import { attrInt } from '../../../graph/attributes';
import { DType, isFloat } from '../../../graph/dtype';
import type { Op, OpContext, OpTable } from '../op';
import { fromFront, offsets, stridesOf } from './layout';
import { fromNumbers, hostTensor, numbersOf } from './host-values';

/** The axes of a reduction; undefined if it changes nothing. */
export function reducedAxes(c: OpContext): number[] | undefined {
  const rank = c.dims(0).length;
  const axes = c.has(1) ? c.ints(1) : [];
  if (axes.length > 0) return [...new Set(axes.map((a) => fromFront(a, rank)))].sort((a, b) => a - b);
  return attrInt(c.node, 'noop_with_empty_axes', 0) ? undefined : Array.from({ length: rank }, (_, i) => i);
}

/** The start of each row of `axes` in a tensor, and the offset of each of its elements. */
export function rowsOf(dims: readonly number[], axes: readonly number[]) {
  const strides = stridesOf(dims);
  const part = (wanted: boolean) => {
    const kept = dims.flatMap((_, i) => (axes.includes(i) === wanted ? [i] : []));
    return offsets(
      kept.map((i) => dims[i]),
      kept.map((i) => strides[i]),
    );
  };
  return { starts: part(false), steps: part(true) };
}

const reduceWith =
  (f: (row: Float64Array) => number): Op =>
  (c) => {
    const t = hostTensor(c, 0);
    const axes = reducedAxes(c);
    if (!axes) return [c.inputs[0]!];
    const { starts, steps } = rowsOf(t.dims, axes);
    const values = numbersOf(t);
    const out = Float64Array.from(starts, (s) => f(Float64Array.from(steps, (k) => values[s + k])));
    const kept = t.dims.map((d, i) => (axes.includes(i) ? 1 : d));
    const dims = attrInt(c.node, 'keepdims', 1) ? kept : t.dims.filter((_, i) => !axes.includes(i));
    return [fromNumbers(t.dtype, dims, out)];
  };

const sum = (row: Float64Array): number => row.reduce((a, b) => a + b, 0);

const cumSum: Op = (c) => {
  const t = hostTensor(c, 0);
  const axis = fromFront(c.ints(1)[0], t.dims.length);
  const reverse = attrInt(c.node, 'reverse', 0);
  const exclusive = attrInt(c.node, 'exclusive', 0);
  const { starts, steps } = rowsOf(t.dims, [axis]);
  const values = numbersOf(t);
  const out = new Float64Array(values.length);
  for (const start of starts) {
    let total = 0;
    for (let i = 0; i < steps.length; i++) {
      const at = start + steps[reverse ? steps.length - 1 - i : i];
      out[at] = exclusive ? total : total + values[at];
      total += values[at];
    }
  }
  return [fromNumbers(t.dtype, t.dims, out)];
};

const argExtremum =
  (better: (a: number, b: number) => boolean): Op =>
  (c) => {
    const t = hostTensor(c, 0);
    const axis = fromFront(attrInt(c.node, 'axis', 0), t.dims.length);
    const last = attrInt(c.node, 'select_last_index', 0) === 1;
    const { starts, steps } = rowsOf(t.dims, [axis]);
    const values = numbersOf(t);
    const out = Float64Array.from(starts, (s) => {
      let best = 0;
      for (let i = 1; i < steps.length; i++) {
        const [now, then] = [values[s + steps[i]], values[s + steps[best]]];
        if (better(now, then) || (last && now === then)) best = i;
      }
      return best;
    });
    const kept = t.dims.map((d, i) => (i === axis ? 1 : d));
    const dims = attrInt(c.node, 'keepdims', 1) ? kept : t.dims.filter((_, i) => i !== axis);
    return [fromNumbers(DType.int64, dims, out)];
  };

export const reductions: OpTable = {
  ReduceSum: reduceWith(sum),
  ReduceMean: (c) =>
    reduceWith(isFloat(c.dtype(0)) ? (r) => sum(r) / r.length : (r) => Math.trunc(sum(r) / r.length))(c),
  ReduceProd: reduceWith((r) => r.reduce((a, b) => a * b, 1)),
  ReduceMax: reduceWith((r) => r.reduce((a, b) => Math.max(a, b), -Infinity)),
  ReduceMin: reduceWith((r) => r.reduce((a, b) => Math.min(a, b), Infinity)),
  CumSum: cumSum,
  ArgMax: argExtremum((a, b) => a > b),
  ArgMin: argExtremum((a, b) => a < b),
};
