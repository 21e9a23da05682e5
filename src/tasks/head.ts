import type { GraphBuilder } from '../graph/builder';
import type { Experiment } from '../experiment/experiment';
import type { TensorInfo } from '../graph/tensor-infos';

/** Its trainable tensors. */
export const HEAD_WEIGHT = 'head.weight';
export const HEAD_BIAS = 'head.bias';

/** Name of the head's logits in a file if the model already has an output `logits`. */
export const OWN_LOGITS = 'aurora_logits';

export type Pooling = 'first-token' | 'mean';

/** Inputs that mark what counts, 1 for a token of a text or a patch of an image, and 0 for padding. */
const MASKS = ['attention_mask', 'pixel_attention_mask'];

/** The name of a model's mask, (batch, sequence); undefined if nothing is padded. */
export const maskInput = (names: readonly string[]): string | undefined =>
  MASKS.find((mask) => names.includes(mask));

/** A trained linear head on hidden states: logits = pooled · weightᵀ + bias. */
export interface HeadSpec {
  /** Without pooling, the head reads the states of every token. */
  pooling?: Pooling;
  classes: number;
  /** Names of its trainable tensors: weight (classes, hidden), bias (classes). */
  weight: string;
  bias: string;
}

/** A head on pooled states with one output for each label; undefined where the model's own output is the answer. */
export const linearHead = ({ task }: Experiment, labels: readonly string[]): HeadSpec | undefined =>
  task.head === 'linear'
    ? { pooling: task.pooling, classes: labels.length, weight: HEAD_WEIGHT, bias: HEAD_BIAS }
    : undefined;

/**
 * Emits pooling and head. Hidden states (batch, sequence, hidden) are pooled first; (batch, hidden) already are.
 *
 * @param mask the input `maskInput` (batch, sequence), for the mean over real tokens; without one the
 *   mean is over all positions
 */
export function addHead(
  g: GraphBuilder,
  hidden: string,
  info: TensorInfo,
  head: HeadSpec,
  mask: string | undefined,
): string {
  const pooled = addPooling(g, hidden, info, head.pooling, mask);
  const product = g.op('MatMul', [pooled, g.op('Transpose', [head.weight])]);
  return g.op('Add', [product, head.bias]);
}

/** A vector for each example, (batch, hidden); without pooling all states. */
export function addPooling(
  g: GraphBuilder,
  hidden: string,
  info: TensorInfo,
  pooling: Pooling | undefined,
  mask: string | undefined,
): string {
  if (info.shape.length === 2 || pooling === undefined) return hidden;
  const axis = g.ints([1]);
  if (pooling === 'first-token') {
    // A slice, not a gather: its gradient is a padding, not a scatter.
    const first = g.op('Slice', [hidden, g.ints([0]), g.ints([1]), axis]);
    return g.op('Squeeze', [first, axis]);
  }
  if (!mask) return g.op('ReduceMean', [hidden, axis], { keepdims: 0 });
  const weights = g.op('Unsqueeze', [g.op('Cast', [mask], { to: info.dtype }), g.ints([2])]);
  const sum = g.op('ReduceSum', [g.op('Mul', [hidden, weights]), axis], { keepdims: 0 });
  const count = g.op('ReduceSum', [weights, axis], { keepdims: 0 });
  return g.op('Div', [sum, g.op('Max', [count, g.scalar(1, info.dtype)])]);
}
