/** Shapes and positions of row-major tensors, for both sides; all sizes are known here. */

import { elementCount } from '../../../graph/model';

/** An axis counted from the front. */
export const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** NumPy's broadcast shape. */
export function broadcastDims(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1;
    for (const s of shapes) {
      const d = s[axis - rank + s.length] ?? 1;
      if (d === 1) continue;
      if (size !== 1 && size !== d)
        throw new Error(`Shapes ${shapes.map((x) => `[${x.join(', ')}]`).join(' and ')} do not broadcast.`);
      size = d;
    }
    return size;
  });
}

export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length).fill(1);
  for (let i = dims.length - 2; i >= 0; i--) strides[i] = strides[i + 1] * dims[i + 1];
  return strides;
}

/** Σ positionᵢ·strideᵢ of every position of `dims`, in row-major order: where a view with these strides reads. */
export function offsets(dims: readonly number[], strides: readonly number[]): Int32Array {
  let out = Int32Array.of(0);
  dims.forEach((size, axis) => {
    const next = new Int32Array(out.length * size);
    for (let i = 0; i < out.length; i++)
      for (let k = 0; k < size; k++) next[i * size + k] = out[i] + k * strides[axis];
    out = next;
  });
  return out;
}

/** For every element of `to`, the position in `from` that broadcasting reads. */
export function broadcastOffsets(from: readonly number[], to: readonly number[]): Int32Array {
  const own = stridesOf(from);
  const lead = to.length - from.length;
  return offsets(
    to,
    to.map((_, axis) => (axis < lead || from[axis - lead] === 1 ? 0 : own[axis - lead])),
  );
}

/** Reshape's target: 0 copies the size (unless allowed as a size), −1 is inferred. */
export function reshapedDims(
  dims: readonly number[],
  target: readonly number[],
  allowZero: boolean,
): number[] {
  const out = target.map((d, i) => (d === 0 && !allowZero ? dims[i] : d));
  const rest = out.filter((d) => d !== -1).reduce((a, b) => a * b, 1);
  return out.map((d) => (d === -1 ? (rest === 0 ? 0 : elementCount(dims) / rest) : d));
}

/** @param axes all axes of size 1 if undefined */
export function squeezedDims(dims: readonly number[], axes: readonly number[] | undefined): number[] {
  const gone = axes?.map((a) => fromFront(a, dims.length));
  return dims.filter((d, i) => (gone ? !gone.includes(i) : d !== 1));
}

export function unsqueezedDims(dims: readonly number[], axes: readonly number[]): number[] {
  const rank = dims.length + axes.length;
  const added = new Set(axes.map((a) => fromFront(a, rank)));
  const left = [...dims];
  return Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : left.shift()!));
}

/**
 * The positions that ONNX's Slice takes from an axis: negative bounds count from the end, out-of-range bounds are
 * clamped.
 */
export function slicedPositions(size: number, start: number, end: number, step: number): number[] {
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const bound = (v: number) => Math.min(high, Math.max(low, v < 0 ? v + size : v));
  const first = Math.max(bound(start), 0);
  const length = Math.max(0, Math.ceil((bound(end) - first) / step));
  return Array.from({ length }, (_, i) => first + i * step);
}
