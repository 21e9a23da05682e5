import { attrFloat, attrInt } from '../attributes';
import { DType } from '../dtype';
import type { Node } from '../model';
import type { Rewrite, RewriteContext } from '../rewrite';
import { positionsOf } from './parts/attention';
import { knownRank } from './parts/known-shape';
import { refusal, requireKnown } from './parts/refuse';

const SKIP_INPUTS = ['input', 'skip', 'gamma', 'beta', 'bias'];
const SKIP_OUTPUTS = ['output', 'mean', 'inv_std_var', 'input_skip_bias_sum'];

/** LayerNormalization(input + skip + bias) · gamma + beta; the fourth output is the sum. */
export const skipLayerNormalization: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ['epsilon'], inputs: SKIP_INPUTS, outputs: SKIP_OUTPUTS });
  const [input, skip, gamma, beta, bias] = node.inputs;
  const [y, mean, inverse, sum] = node.outputs;
  const x = skipSum(c, input, skip, bias, sum);
  const outputs = inverse ? [y, mean, inverse] : mean ? [y, mean] : [y];
  const attributes = { axis: -1, epsilon: { float: attrFloat(node, 'epsilon', SKIP_EPSILON) } };
  c.replace(node, 'LayerNormalization', beta ? [x, gamma, beta] : [x, gamma], attributes, outputs);
};

const RMS_ATTRIBUTES = ['axis', 'epsilon', 'stash_type'];

/** x / sqrt(mean(x²) + epsilon) · scale over the axes from `axis` on. */
export const simplifiedLayerNormalization: Rewrite = (node, c) => {
  requireKnown(node, { attributes: RMS_ATTRIBUTES, inputs: ['X', 'scale'], outputs: ['Y', 'inv_std_var'] });
  const [x, scale] = node.inputs;
  const [y, inverse] = node.outputs;
  const axis = attrInt(node, 'axis', -1);
  // The scale has the shape of the normalized axes, so its rank gives their number if the rank of x is unknown.
  const rank = c.declared.rank(x);
  const count =
    axis < 0 ? -axis : rank !== undefined ? rank - axis : (c.declared.rank(scale) ?? knownRank(c, node, x));
  const axes = Array.from({ length: count }, (_, i) => i - count);
  rms(c, node, x, scale, axes, attrFloat(node, 'epsilon', 1e-5), y, inverse);
};

const SKIP_RMS_INPUTS = ['input', 'skip', 'gamma', 'bias'];
const SKIP_RMS_OUTPUTS = ['output', '(mean)', 'inv_std_var', 'input_skip_bias_sum'];

/** Root-mean-square normalization of input + skip + bias, times gamma; the fourth output is the sum. */
export const skipSimplifiedLayerNormalization: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ['epsilon'], inputs: SKIP_RMS_INPUTS, outputs: SKIP_RMS_OUTPUTS });
  const [input, skip, gamma, bias] = node.inputs;
  const [y, , inverse, sum] = node.outputs;
  const x = skipSum(c, input, skip, bias, sum);
  rms(c, node, x, gamma, [-1], attrFloat(node, 'epsilon', SKIP_EPSILON), y, inverse);
};

const EMBED_INPUTS = [
  'input_ids',
  'segment_ids',
  'word_embedding',
  'position_embedding',
  'segment_embedding',
  'gamma',
  'beta',
  'mask',
  'position_ids',
];
const EMBED_OUTPUTS = ['output', 'mask_index', 'embedding_sum'];

/**
 * The sum of a word's, a position's and, where they are given, a segment's embedding, normalized. The second output is
 * the number of tokens for which a text's mask is 1, zeros without a mask; the third is the sum.
 */
export const embedLayerNormalization: Rewrite = (node, c) => {
  requireKnown(node, {
    attributes: ['epsilon', 'mask_index_type'],
    inputs: EMBED_INPUTS,
    outputs: EMBED_OUTPUTS,
  });
  const { g } = c;
  const [ids, segmentIds, words, positions, segments, gamma, beta, mask, positionIds] = node.inputs;
  const [y, count, sum] = node.outputs;
  const rows = (table: string, places: string) => g.op('Gather', [table, places], { axis: 0 });
  const place = positionIds || g.op('Unsqueeze', [positionsOf(g, ids, 1), g.ints([0])]);
  const typed = segmentIds && segments ? rows(segments, segmentIds) : undefined;
  const placed = g.op('Add', [rows(words, ids), rows(positions, place)]);
  const sums = typed
    ? sum
      ? c.produce(sum, 'Add', [placed, typed])
      : g.op('Add', [placed, typed])
    : sum
      ? c.produce(sum, 'Identity', [placed])
      : placed;
  if (count) {
    const ones = mask ? g.op('Equal', [mask, g.scalar(1, DType.int32)]) : undefined;
    const one = g.op('Cast', [ones ?? g.op('Less', [ids, ids])], { to: DType.int32 });
    c.produce(count, 'ReduceSum', [one, g.ints([1])], { keepdims: 0 });
  }
  const attributes = { axis: -1, epsilon: { float: attrFloat(node, 'epsilon', SKIP_EPSILON) } };
  c.replace(node, 'LayerNormalization', [sums, gamma, beta], attributes, [y]);
};

const GROUP_ATTRIBUTES = ['activation', 'channels_last', 'epsilon', 'groups'];
const SILU = 1;

/** Group normalization of an image, whose channels are last by default, and perhaps SiLU. */
export const groupNorm: Rewrite = (node, c) => {
  requireKnown(node, { attributes: GROUP_ATTRIBUTES, inputs: ['X', 'gamma', 'beta'] });
  const [x, gamma, beta] = node.inputs;
  normalize(c, node, x, gamma, beta);
};

const SKIP_GROUP_INPUTS = ['X', 'gamma', 'beta', 'skip', 'bias'];

/** Normalizes X + skip + bias; the second output is the sum. */
export const skipGroupNorm: Rewrite = (node, c) => {
  requireKnown(node, { attributes: GROUP_ATTRIBUTES, inputs: SKIP_GROUP_INPUTS, outputs: ['Y', 'S'] });
  if (attrInt(node, 'channels_last', 1) !== 1) throw refusal(node, 'a skip and channels_last=0');
  const { g } = c;
  const [x, gamma, beta, skip, bias] = node.inputs;
  // A row has one number for each channel, as from the embedding of a time step.
  const row = knownRank(c, node, skip) === 2;
  const wide = row ? g.op('Unsqueeze', [skip, g.ints([1, 2])]) : skip;
  const both = [bias ? g.op('Add', [x, bias]) : x, wide];
  const [, sum] = node.outputs;
  normalize(c, node, sum ? c.produce(sum, 'Add', both) : g.op('Add', both), gamma, beta);
};

function normalize(c: RewriteContext, node: Node, x: string, gamma: string, beta: string): void {
  const { g } = c;
  const [y] = node.outputs;
  const last = attrInt(node, 'channels_last', 1) === 1;
  const activation = attrInt(node, 'activation', 0);
  if (activation !== 0 && activation !== SILU) throw refusal(node, `the activation ${activation}`);
  const image = last ? g.op('Transpose', [x], { perm: [0, 3, 1, 2] }) : x;
  const rows = normalGroups(c, image, gamma, beta, {
    groups: attrInt(node, 'groups', 1),
    epsilon: attrFloat(node, 'epsilon', 1e-5),
    type: c.declared.floatType(node.inputs[0]),
  });
  const normal = g.op('Reshape', [rows, g.op('Shape', [image])]);
  const made = activation === SILU ? g.op('Mul', [normal, g.op('Sigmoid', [normal])]) : normal;
  if (last) c.replace(node, 'Transpose', [made], { perm: [0, 2, 3, 1] }, [y]);
  else c.replace(node, 'Identity', [made], {}, [y]);
}

export interface Groups {
  groups: number;
  epsilon: number;
  /** The type of x. */
  type: number;
  /** The type in which the statistics are computed; that of x by default. */
  stash?: number;
  /** True if scale and bias are those of groups, not of channels. */
  perGroup?: boolean;
}

/**
 * (x − mean) / sqrt(variance + epsilon) · scale + bias, over groups of channels.
 *
 * @param x (batch, channels, …)
 * @returns the same elements as (batch, groups or channels, the rest)
 */
export function normalGroups(
  c: RewriteContext,
  x: string,
  scale: string,
  bias: string,
  { groups, epsilon, type, stash = type, perGroup = false }: Groups,
): string {
  const { g } = c;
  const cast = (name: string, to: number) => (stash === type ? name : g.op('Cast', [name], { to }));
  const rows = g.op('Reshape', [cast(x, stash), g.ints([0, groups, -1])]);
  const last = g.ints([2]);
  const centered = g.op('Sub', [rows, g.op('ReduceMean', [rows, last])]);
  const variance = g.op('ReduceMean', [g.op('Mul', [centered, centered]), last]);
  const deviation = g.op('Sqrt', [g.op('Add', [variance, g.scalar(epsilon, stash)])]);
  let y = cast(g.op('Div', [centered, deviation]), type);
  if (!perGroup)
    y = g.op('Reshape', [
      y,
      g.op('Concat', [g.ints([0]), g.op('Shape', [scale]), g.ints([-1])], { axis: 0 }),
    ]);
  const column = g.ints([1]);
  y = g.op('Mul', [y, g.op('Unsqueeze', [scale, column])]);
  return g.op('Add', [y, g.op('Unsqueeze', [bias, column])]);
}

/**
 * Emits x / sqrt(mean(x²) + epsilon) · scale in a node's place.
 *
 * @param axes of the mean, negative
 * @param inverseOutput the name of 1 / sqrt(…), if the node returns it
 */
function rms(
  c: RewriteContext,
  node: Node,
  input: string,
  scale: string,
  axes: number[],
  epsilon: number,
  y: string,
  inverseOutput: string | undefined,
): void {
  const type = c.declared.floatType(node.inputs[0]);
  c.replace(node, 'Mul', [rootMeanSquare(c, type, input, axes, epsilon, inverseOutput), scale], {}, [y]);
}

/** x / sqrt(mean(x²) + epsilon), without a scale. */
export function rootMeanSquare(
  c: RewriteContext,
  type: number,
  input: string,
  axes: number[],
  epsilon: number,
  inverseOutput?: string,
): string {
  const { g } = c;
  // 16-bit floats overflow at 65,504, which squares can reach: the statistics are computed in 32 bits.
  const half = type === DType.float16 || type === DType.bfloat16;
  const x = half ? g.op('Cast', [input], { to: DType.float }) : input;
  const meanSquare = g.op('ReduceMean', [g.op('Mul', [x, x]), g.ints(axes)], { keepdims: 1 });
  const root = g.op('Sqrt', [g.op('Add', [meanSquare, g.scalar(epsilon, half ? DType.float : type)])]);
  const inverse = inverseOutput ? c.produce(inverseOutput, 'Reciprocal', [root]) : g.op('Reciprocal', [root]);
  const normal = g.op('Mul', [x, inverse]);
  return half ? g.op('Cast', [normal], { to: type }) : normal;
}

/** ONNX Runtime's default for the fused skip operators; the plain ones use 1e-5. */
const SKIP_EPSILON = 1e-12;

/**
 * input + skip + bias, the sum under the name that the fused operator gives it. The bias belongs to a linear layer whose
 * output is one of the two: it is added to that one first, where it is found as the layer's own.
 */
function skipSum(
  c: RewriteContext,
  input: string,
  skip: string,
  bias: string | undefined,
  sum: string | undefined,
): string {
  const { g } = c;
  const isProduct = (x: string) => ['MatMul', 'Gemm'].includes(c.producer(x)?.opType ?? '');
  const [layer, other] = isProduct(skip) && !isProduct(input) ? [skip, input] : [input, skip];
  const both = [bias ? g.op('Add', [layer, bias]) : layer, other];
  return sum ? c.produce(sum, 'Add', both) : g.op('Add', both);
}
