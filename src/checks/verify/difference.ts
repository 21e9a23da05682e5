import { DType, isFloat } from '../../graph/dtype';
import { fromHalf } from '../../graph/number-formats';
import type { HostTensor } from '../../graph/tensor-infos';

export interface Difference {
  /** Largest |b − a| over the unit; NaN if the shapes differ, or a number is finite on only one side. */
  error: number;
  /** Flat index of the worst element. */
  at: number;
  values: [number, number];
}

type Numbers = ArrayLike<number | bigint>;

/**
 * The largest difference between two arrays. Infinities and NaNs that are the same on both sides are equal: masks
 * consist of them.
 *
 * @param unit of the difference; the largest finite magnitude of `a` by default
 */
export function difference(a: Numbers, b: Numbers, unit = largest(a)): Difference {
  if (a.length !== b.length) return { error: NaN, at: 0, values: [NaN, NaN] };
  let worst = { error: 0, at: 0 };
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [Number(a[i]), Number(b[i])];
    if (Object.is(x, y) || x === y) continue;
    const error = Math.abs(y - x);
    if (!Number.isFinite(error)) return { error: NaN, at: i, values: [x, y] };
    if (error > worst.error) worst = { error, at: i };
  }
  const values: [number, number] = [Number(a[worst.at]), Number(b[worst.at])];
  return { error: worst.error === 0 ? 0 : worst.error / unit, at: worst.at, values };
}

/** Between two tensors. Integers and bools have no tolerance: any difference counts fully. */
export function tensorDifference(a: HostTensor, b: HostTensor): Difference {
  if (a.dims.join() !== b.dims.join()) return { error: NaN, at: 0, values: [NaN, NaN] };
  return isFloat(a.dtype) ? difference(numbers(a), numbers(b)) : difference(a.data, b.data, 1);
}

const numbers = (t: HostTensor): Numbers =>
  t.dtype === DType.float16 ? Float32Array.from(t.data as Uint16Array, fromHalf) : t.data;

export function largest(values: Numbers): number {
  let max = 0;
  for (let i = 0; i < values.length; i++) {
    const v = Math.abs(Number(values[i]));
    if (v > max && v !== Infinity) max = v;
  }
  return max;
}

/** Position along each axis of an element counted in row-major order. */
export function positionOf(at: number, dims: readonly number[]): number[] {
  const out: number[] = [];
  let rest = at;
  for (const d of [...dims].reverse()) {
    out.unshift(d ? rest % d : 0);
    rest = Math.floor(rest / d);
  }
  return out;
}
