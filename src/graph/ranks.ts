import { attrInt, attrInts, attrString } from './attributes';
import type { Node } from './model';

/** The known facts about a tensor's axes. */
export interface Axes {
  rank?: number;
  /** The number of elements of a vector, such as a shape that a Reshape reads. */
  length?: number;
}

/** Outputs have as many axes as the first input. */
const SAME = new Set(
  (
    'Abs Attention AveragePool BatchNormalization BiasGelu Cast CastLike Ceil Celu Clip Conv ConvTranspose Cos CumSum ' +
    'DequantizeLinear Dropout Elu Erf Exp FastGelu Floor GatherElements Gelu GlobalAveragePool ' +
    'GlobalMaxPool GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization LayerNormalization ' +
    'LeakyRelu Log LogSoftmax LpNormalization MatMulBnb4 MatMulNBits MaxPool Mish Neg Not PRelu Pad QuantizeLinear ' +
    'QuickGelu RMSNormalization Reciprocal Relu Resize RotaryEmbedding Round ScatterElements ScatterND Selu Shrink ' +
    'Sigmoid Sign SimplifiedLayerNormalization Sin SkipLayerNormalization SkipSimplifiedLayerNormalization Slice ' +
    'Softmax Softplus Softsign Split Sqrt Swish Tanh ThresholdedRelu Tile TopK Transpose Trilu'
  ).split(' '),
);
const BROADCAST = new Set(
  'Add Sub Mul Div Pow Mod Max Min Sum Mean Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor Where'.split(
    ' ',
  ),
);

const ATTENTIONS = new Set(['Attention', 'GroupQueryAttention', 'MultiHeadAttention']);

/**
 * The number of axes of one of a node's outputs, for the operators between a model's inputs and its layers.
 *
 * @param numbers the elements of a constant vector
 */
export function inferAxes(
  node: Node,
  of: (x: string) => Axes,
  numbers: (x: string) => number[] | undefined,
  output = 0,
): Axes {
  // Keys and values for later calls.
  if (output > 0 && ATTENTIONS.has(node.opType)) return {};
  const inputs = node.inputs.map((x) => (x ? of(x) : {}));
  const [first, second] = inputs;
  const ranks = inputs.map((a) => a.rank);
  const plus = (rank: number | undefined, more: number | undefined): Axes =>
    rank === undefined || more === undefined ? {} : { rank: rank + more };
  const { opType } = node;
  if (opType === 'Concat' && first?.rank === 1) return { rank: 1, length: sum(inputs.map((a) => a.length)) };
  // The form of opset 10 and later; steps other than 1 are not used on shapes.
  if (opType === 'Slice' && first?.rank === 1 && node.inputs.length < 5)
    return {
      rank: 1,
      length: part(first.length, numbers(node.inputs[1] ?? ''), numbers(node.inputs[2] ?? '')),
    };
  if (opType === 'Einsum') return einsum(attrString(node, 'equation', ''));
  if (opType === 'Concat') return { rank: ranks.find((r) => r !== undefined) };
  if (SAME.has(opType)) return { rank: first?.rank, length: opType === 'Cast' ? first?.length : undefined };
  if (BROADCAST.has(opType))
    return { rank: largest(ranks), length: largest(inputs.map((a) => (a.rank === 0 ? 1 : a.length))) };
  if (opType.startsWith('Reduce')) {
    const axes = attrInts(node, 'axes')?.length ?? second?.length;
    if (attrInt(node, 'keepdims', 1)) return { rank: first?.rank };
    return plus(first?.rank, axes === undefined ? undefined : -axes);
  }
  const axes = attrInts(node, 'axes')?.length ?? second?.length;
  switch (opType) {
    case 'FusedMatMul':
    case 'MatMul':
      return ranks.every((r) => r !== undefined && r >= 2) ? { rank: largest(ranks) } : {};
    case 'Gemm':
    case 'Flatten':
      return { rank: 2 };
    case 'EmbedLayerNormalization':
      return { rank: output === 1 ? 1 : 3 };
    case 'GroupQueryAttention':
    case 'MultiHeadAttention':
      return { rank: 3 };
    case 'Gather':
    case 'GatherBlockQuantized':
      return first?.rank === undefined ? {} : plus(first.rank - 1, second?.rank);
    case 'Unsqueeze':
      return first?.rank === 0 && axes === 1 ? { rank: 1, length: 1 } : plus(first?.rank, axes);
    case 'Squeeze':
      return plus(first?.rank, axes === undefined ? undefined : -axes);
    case 'Reshape':
      return { rank: second?.length };
    case 'ConstantOfShape':
      return { rank: first?.length, length: numbers(node.inputs[0] ?? '')?.[0] };
    case 'Expand':
      return { rank: largest([first?.rank, second?.length]) };
    case 'Shape':
      return {
        rank: 1,
        length: part(first?.rank, [attrInt(node, 'start', 0)], [attrInt(node, 'end', Infinity)]),
      };
    case 'Range':
      return { rank: 1 };
    default:
      return {};
  }
}

/** Without an ellipsis, the output has an axis for each of its letters. */
function einsum(equation: string): Axes {
  const [, output] = equation.replaceAll(' ', '').split('->');
  return output === undefined || output.includes('.') ? {} : { rank: output.length };
}

/** The length of a slice of a vector, with a step of 1. */
function part(length: number | undefined, starts: number[] | undefined, ends: number[] | undefined) {
  if (length === undefined || !starts || !ends) return undefined;
  const at = (v: number) => Math.min(length, Math.max(0, v < 0 ? v + length : v));
  return Math.max(0, at(ends[0]) - at(starts[0]));
}

const sum = (parts: (number | undefined)[]): number | undefined =>
  parts.every((p) => p !== undefined) ? parts.reduce((a, b) => a + b, 0) : undefined;

const largest = (parts: (number | undefined)[]): number | undefined =>
  parts.every((p) => p !== undefined) ? Math.max(...parts) : undefined;
