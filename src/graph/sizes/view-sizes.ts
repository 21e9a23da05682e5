import { attrInt, attrInts } from '../attributes';
import { DType } from '../dtype';
import { elementCount } from '../model';
import { broadcastDims, INT64, type SizeContext, type SizeRule } from './size-rule';

const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

const reshape: SizeRule = (c) => {
  const dims = c.dims(0);
  const zero = attrInt(c.node, 'allowzero', 0) === 1;
  const wanted = c.ints(1).map((d, i) => (d === 0 && !zero ? dims[i] : d));
  const rest = elementCount(wanted.filter((d) => d !== -1));
  return [{ dims: wanted.map((d) => (d === -1 ? (rest === 0 ? 0 : elementCount(dims) / rest) : d)) }];
};

const transpose: SizeRule = (c) => {
  const dims = c.dims(0);
  const perm = attrInts(c.node, 'perm') ?? dims.map((_, i) => dims.length - 1 - i);
  return [{ dims: perm.map((axis) => dims[axis]) }];
};

const unsqueeze: SizeRule = (c) => {
  const [dims, axes] = [c.dims(0), c.ints(1)];
  const rank = dims.length + axes.length;
  const added = new Set(axes.map((a) => fromFront(a, rank)));
  const left = [...dims];
  return [{ dims: Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : left.shift()!)) }];
};

const squeeze: SizeRule = (c) => {
  const dims = c.dims(0);
  const gone = c.has(1) ? c.ints(1).map((a) => fromFront(a, dims.length)) : undefined;
  return [{ dims: dims.filter((d, i) => (gone ? !gone.includes(i) : d !== 1)) }];
};

const flatten: SizeRule = (c) => {
  const axis = c.axis(1);
  const dims = c.dims(0);
  return [{ dims: [elementCount(dims.slice(0, axis)), elementCount(dims.slice(axis))] }];
};

const concat: SizeRule = (c) => {
  const axis = c.axis(0);
  const total = Array.from({ length: c.count }, (_, i) => c.dims(i)[axis]).reduce((a, b) => a + b, 0);
  return [{ dims: c.dims(0).map((d, i) => (i === axis ? total : d)) }];
};

const split: SizeRule = (c) => {
  const axis = c.axis(0);
  const dims = c.dims(0);
  const parts = c.node.outputs.length;
  const even = Math.ceil(dims[axis] / parts);
  const sizes = c.has(1)
    ? c.parts(1, dims[axis], parts)
    : Array.from({ length: parts }, (_, i) => Math.min(even, dims[axis] - i * even));
  return sizes.map((size) => ({ dims: dims.map((d, i) => (i === axis ? size : d)) }));
};

/** The number of positions that ONNX's Slice takes from an axis. */
export function sliced(
  size: number,
  start: number,
  end: number,
  step: number,
): [first: number, count: number] {
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const bound = (v: number) => Math.min(high, Math.max(low, v < 0 ? v + size : v));
  const first = Math.max(bound(start), 0);
  return [first, Math.max(0, Math.ceil((bound(end) - first) / step))];
}

const slice: SizeRule = (c) => {
  const dims = [...c.dims(0)];
  const [starts, ends] = [c.ints(1), c.ints(2)];
  const axes = c.has(3) ? c.ints(3) : starts.map((_, i) => i);
  const steps = c.has(4) ? c.ints(4) : starts.map(() => 1);
  axes.forEach((a, i) => {
    const axis = fromFront(a, dims.length);
    dims[axis] = sliced(dims[axis], starts[i], ends[i], steps[i])[1];
  });
  return [{ dims }];
};

const gather: SizeRule = (c) => {
  const axis = c.axis(0);
  const dims = c.dims(0);
  return [{ dims: [...dims.slice(0, axis), ...c.dims(1), ...dims.slice(axis + 1)] }];
};

const gatherND: SizeRule = (c) => {
  const batch = attrInt(c.node, 'batch_dims', 0);
  const [dims, indices] = [c.dims(0), c.dims(1)];
  return [{ dims: [...indices.slice(0, -1), ...dims.slice(batch + indices.at(-1)!)] }];
};

const pad: SizeRule = (c) => {
  const dims = [...c.dims(0)];
  const pads = c.ints(1);
  const axes = c.has(3) ? c.ints(3) : dims.map((_, i) => i);
  axes.forEach((a, i) => (dims[fromFront(a, dims.length)] += pads[i] + pads[i + axes.length]));
  return [{ dims }];
};

const range: SizeRule = (c) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => c.ints(i)[0]);
  return [{ dims: [Math.max(0, Math.ceil((limit - start) / delta))] }];
};

const constantOfShape: SizeRule = (c) => {
  const value = c.node.attributes.get('value');
  return [{ dims: c.ints(0), dtype: value?.type === 'tensor' ? value.value.dtype : DType.float }];
};

const oneHot: SizeRule = (c) => {
  const dims = [...c.dims(0)];
  dims.splice(c.axis(-1, dims.length + 1), 0, c.ints(1)[0]);
  return [{ dims, dtype: c.input(2).dtype }];
};

const rankOf = (c: SizeContext): number => {
  const rank = c.dims(0).length;
  const bound = (name: string, otherwise: number) => {
    const value = attrInt(c.node, name, otherwise);
    return Math.min(rank, Math.max(0, value < 0 ? value + rank : value));
  };
  return Math.max(0, bound('end', rank) - bound('start', 0));
};

/** Operators that move values, and those that make them of sizes. */
export const views: Record<string, SizeRule> = {
  Reshape: reshape,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Flatten: flatten,
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  GatherElements: (c) => [{ dims: c.dims(1) }],
  GatherND: gatherND,
  Pad: pad,
  Expand: (c) => [{ dims: broadcastDims([c.dims(0), c.ints(1)]) }],
  Tile: (c) => [{ dims: c.dims(0).map((d, i) => d * c.ints(1)[i]) }],
  Range: range,
  Shape: (c) => [{ dims: [rankOf(c)], dtype: INT64 }],
  Size: () => [{ dims: [], dtype: INT64 }],
  ConstantOfShape: constantOfShape,
  OneHot: oneHot,
};
