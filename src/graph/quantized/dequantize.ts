import { attrInt } from '../attributes';
import type { Node, Tensor } from '../model';
import { tensorNumbers, tensorValues } from '../values';

/**
 * The values of a DequantizeLinear of a constant, (q − zero point) · scale, in float32: one scale for all, one for each
 * index of an axis, or one for each block along it. Undefined if one of its inputs is computed.
 * https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html
 */
export function dequantizedValues(
  node: Node,
  constant: (name: string) => Tensor | undefined,
): Float32Array | undefined {
  const [x, s, z] = node.inputs;
  const [tensor, scale, zero] = [x, s, z].map((name) => (name ? constant(name) : undefined));
  if (!tensor || !scale || (z && !zero)) return undefined;
  const axis = attrInt(node, 'axis', 1);
  return dequantized(tensor, scale, zero, axis, attrInt(node, 'block_size', 0));
}

export function dequantized(
  tensor: Tensor,
  scale: Tensor,
  zero: Tensor | undefined,
  axis: number,
  blockSize: number,
): Float32Array {
  const q = tensorValues(tensor) as ArrayLike<number>;
  const scales = tensorNumbers(scale);
  const zeros = zero && tensorNumbers(zero);
  const { dims } = tensor;
  const along = axis < 0 ? axis + dims.length : axis;
  const inner = dims.slice(along + 1).reduce((a, b) => a * b, 1);
  const size = dims[along] ?? 1;
  const blocks = blockSize > 0 ? Math.ceil(size / blockSize) : size;
  const group = (i: number): number => {
    if (scales.length === 1) return 0;
    const at = Math.floor(i / inner) % size;
    if (blockSize === 0) return at;
    const outer = Math.floor(i / (inner * size));
    return (outer * blocks + Math.floor(at / blockSize)) * inner + (i % inner);
  };
  return Float32Array.from(q, (v, i) => {
    const g = group(i);
    return (v - (zeros?.[zeros.length === 1 ? 0 : g] ?? 0)) * scales[g];
  });
}

/** The inputs of an operator that are scales and zero points: from the first index on, up to the second. */
const PLACES: ReadonlyMap<string, readonly [from: number, to: number]> = new Map([
  ['MatMulNBits', [2, 4]],
  ['MatMulBnb4', [2, 3]],
  ['QuantizeLinear', [1, 3]],
  ['DequantizeLinear', [1, 3]],
  ['DynamicQuantizeMatMul', [2, 4]],
  ['MatMulIntegerToFloat', [2, 6]],
  ['GatherBlockQuantized', [2, 4]],
]);

/** The scales and zero points that a node reads. */
export const scalesOf = ({ opType, inputs }: Node): string[] =>
  inputs.slice(...(PLACES.get(opType) ?? [inputs.length])).filter((x) => x !== '');
