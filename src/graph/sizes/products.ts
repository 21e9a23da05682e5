import { attrInt, attrInts, attrString } from '../attributes';
import { DType } from '../dtype';
import { elementCount } from '../model';
import { valuesEach } from '../quantized/lookup';
import { broadcastDims, INT64, type SizeContext, type SizeRule } from './size-rule';

const matmul: SizeRule = (c) => {
  const [a, b] = [c.dims(0), c.dims(1)];
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const batch = broadcastDims([left.slice(0, -2), right.slice(0, -2)]);
  return [
    {
      dims: [...batch, ...(a.length === 1 ? [] : [left.at(-2)!]), ...(b.length === 1 ? [] : [right.at(-1)!])],
    },
  ];
};

const gemm: SizeRule = (c) => {
  const [a, b] = [c.dims(0), c.dims(1)];
  const rows = attrInt(c.node, 'transA', 0) ? a[1] : a[0];
  return [{ dims: [rows, attrInt(c.node, 'transB', 0) ? b[0] : b[1]] }];
};

/** With a weight (in, out), or of N rows in few bits. */
const quantizedProduct: SizeRule = (c) => {
  const out = attrInt(c.node, 'N', 0) || c.dims(1).at(-1)!;
  return [{ dims: [...c.dims(0).slice(0, -1), out], dtype: DType.float }];
};

function einsum(c: SizeContext): { dims: number[] }[] {
  const [inputs, output] = attrString(c.node, 'equation', '').replace(/\s/g, '').split('->');
  if (output === undefined || inputs.includes('.')) throw c.unknown();
  const sizes = new Map<string, number>();
  inputs.split(',').forEach((letters, i) => [...letters].forEach((l, axis) => sizes.set(l, c.dims(i)[axis])));
  return [{ dims: [...output].map((l) => sizes.get(l)!) }];
}

/** Sizes after a window of convolution or pooling has moved over an image. */
function windows(c: SizeContext, kernel: readonly number[]): number[] {
  const spatial = c.dims(0).slice(2);
  const ones = spatial.map(() => 1);
  const strides = attrInts(c.node, 'strides') ?? ones;
  const dilations = attrInts(c.node, 'dilations') ?? ones;
  const pads = attrInts(c.node, 'pads') ?? [...ones, ...ones].map(() => 0);
  const auto = attrString(c.node, 'auto_pad', 'NOTSET');
  const ceil = attrInt(c.node, 'ceil_mode', 0) === 1;
  return spatial.map((size, i) => {
    if (auto.startsWith('SAME')) return Math.ceil(size / strides[i]);
    const covered = size + pads[i] + pads[i + spatial.length] - dilations[i] * (kernel[i] - 1) - 1;
    if (!ceil) return Math.floor(covered / strides[i]) + 1;
    // A window that would begin in the margin after the axis does not count.
    return Math.min(Math.ceil(covered / strides[i]), Math.ceil((size + pads[i]) / strides[i]) - 1) + 1;
  });
}

const conv: SizeRule = (c) => {
  const weight = c.dims(1);
  return [{ dims: [c.dims(0)[0], weight[0], ...windows(c, weight.slice(2))] }];
};

const convTranspose: SizeRule = (c) => {
  const [x, weight] = [c.dims(0), c.dims(1)];
  const spatial = x.slice(2);
  const get = (name: string, otherwise: number) => attrInts(c.node, name) ?? spatial.map(() => otherwise);
  const [strides, dilations, extra] = [get('strides', 1), get('dilations', 1), get('output_padding', 0)];
  const pads = attrInts(c.node, 'pads') ?? [...spatial, ...spatial].map(() => 0);
  const out = spatial.map(
    (size, i) =>
      strides[i] * (size - 1) +
      extra[i] +
      dilations[i] * (weight[i + 2] - 1) +
      1 -
      pads[i] -
      pads[i + spatial.length],
  );
  return [
    { dims: [x[0], weight[1] * attrInt(c.node, 'group', 1), ...(attrInts(c.node, 'output_shape') ?? out)] },
  ];
};

const pool: SizeRule = (c) => [
  { dims: [...c.dims(0).slice(0, 2), ...windows(c, attrInts(c.node, 'kernel_shape') ?? [])] },
];

const globalPool: SizeRule = (c) => [{ dims: c.dims(0).map((d, i) => (i < 2 ? d : 1)) }];

const reduce: SizeRule = (c) => {
  const dims = c.dims(0);
  const given = c.has(1) ? c.ints(1) : attrInts(c.node, 'axes');
  if (!given?.length && attrInt(c.node, 'noop_with_empty_axes', 0)) return [{ dims }];
  const axes = new Set(
    (given?.length ? given : dims.map((_, i) => i)).map((a) => (a < 0 ? a + dims.length : a)),
  );
  const keep = attrInt(c.node, 'keepdims', 1) === 1;
  return [{ dims: keep ? dims.map((d, i) => (axes.has(i) ? 1 : d)) : dims.filter((_, i) => !axes.has(i)) }];
};

const argument: SizeRule = (c) => {
  const axis = c.axis(0);
  const keep = attrInt(c.node, 'keepdims', 1) === 1;
  const dims = c.dims(0).map((d, i) => (i === axis ? 1 : d));
  return [{ dims: keep ? dims : dims.filter((_, i) => i !== axis), dtype: INT64 }];
};

const topK: SizeRule = (c) => {
  const axis = c.axis(-1);
  const dims = c.dims(0).map((d, i) => (i === axis ? c.ints(1)[0] : d));
  return [{ dims }, { dims, dtype: INT64 }];
};

const resize: SizeRule = (c) => {
  if (c.has(3)) return [{ dims: c.ints(3) }];
  const scales = c.ints(2);
  return [{ dims: c.dims(0).map((d, i) => Math.floor(d * scales[i])) }];
};

/** Operators whose result has other sizes than their inputs. */
export const products: Record<string, SizeRule> = {
  MatMul: matmul,
  Gemm: gemm,
  Einsum: einsum,
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pool,
  AveragePool: pool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  ...Object.fromEntries(
    ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'LogSum', 'LogSumExp', 'SumSquare'].map((name) => [
      `Reduce${name}`,
      reduce,
    ]),
  ),
  ArgMax: argument,
  ArgMin: argument,
  TopK: topK,
  Resize: resize,
};

/** Rows of a table of few bits, which may hold several values in each byte. */
const quantizedRows: SizeRule = (c) => {
  const { dims, dtype } = c.input(0);
  const wide = dims.map((d, i) => (i === dims.length - 1 ? d * valuesEach(c.node, dtype) : d));
  const given = attrInt(c.node, 'gather_axis', 0);
  const axis = given < 0 ? given + dims.length : given;
  return [{ dims: [...wide.slice(0, axis), ...c.dims(1), ...wide.slice(axis + 1)], dtype: c.input(2).dtype }];
};

/** The rules for the products of com.microsoft. */
export const quantizedProducts: Record<string, SizeRule> = {
  MatMulNBits: quantizedProduct,
  MatMulBnb4: quantizedProduct,
  DynamicQuantizeMatMul: quantizedProduct,
  MatMulIntegerToFloat: quantizedProduct,
  GatherBlockQuantized: quantizedRows,
};

/** Products over the last axis of their first factor. */
const LAST_AXIS = new Set([
  'MatMul',
  'MatMulNBits',
  'MatMulBnb4',
  'DynamicQuantizeMatMul',
  'MatMulIntegerToFloat',
]);

/** Additions and multiplications of a node, both counted; 0 unless it is a product of matrices. */
export function productFlops(
  opType: string,
  inputs: readonly number[][],
  output: readonly number[],
  transA = false,
): number {
  const [a, b] = inputs;
  if (LAST_AXIS.has(opType)) return 2 * elementCount(output) * (a.at(-1) ?? 1);
  if (opType === 'Gemm') return 2 * elementCount(output) * (transA ? a[0] : a[1]);
  if (opType === 'Conv') return 2 * elementCount(output) * elementCount(b.slice(1));
  if (opType === 'ConvTranspose') return 2 * elementCount(a) * elementCount(b.slice(1));
  return 0;
}
