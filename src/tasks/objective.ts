import type { GraphBuilder } from '../graph/builder';
import { DType } from '../graph/dtype';
import type { HostTensor } from '../graph/tensor-infos';
import { binaryCrossEntropy, crossEntropy } from './softmax';

export type ObjectiveName =
  'cross-entropy' | 'token-cross-entropy' | 'binary-cross-entropy' | 'mse' | 'noise-mse' | 'causal-lm';

/** Positions with this label do not count (PyTorch's ignore_index). */
export const IGNORE_LABEL = -100;

/** The nodes that a loss leaves in the graph. Sum and count apart, so that micro-batches add up to the right mean. */
export interface LossNodes {
  /** Scalar: the sum over all that counts. */
  lossSum: string;
  /** Scalar: how many examples (or tokens) counted. */
  count: string;
  /** Tensors the gradient need not pass: they cancel out in it. */
  stop: string[];
}

/** The differences between the loss of a step and that of an evaluation. */
export interface TrainingLoss {
  /** For noise-mse: true if the loss of each example is multiplied by its entry in an input of the graph. */
  exampleWeights?: boolean;
  /**
   * For a cross-entropy, as in PyTorch: share of the target that is spread evenly over all classes, from 0 to below 1.
   */
  labelSmoothing?: number;
  /** For a cross-entropy: the weight of each class. The mean is then over the weights of the targets. */
  classWeights?: readonly number[];
}

export interface Objective {
  /** Type of the labels it reads, and how many leading axes of the logits they have; `all`: as many as the logits. */
  labels: { dtype: number; rank: number | 'all' };
  /**
   * For a loss of labels for each position: the number of positions from the one that predicts a label to the label.
   */
  ahead?: 0 | 1;
  /**
   * @param training the differences in a step; omitted: the loss of an evaluation
   * @param weights of the examples (batch), if `training` has them
   */
  build(
    g: GraphBuilder,
    logits: string,
    labels: string,
    dtype: number,
    training?: TrainingLoss,
    weights?: string,
  ): LossNodes;
  /** The loss in float64, from the logits of a model that has none. */
  measure(logits: HostTensor, labels: HostTensor): { lossSum: number; count: number };
}

/**
 * Sum over all positions of −log softmax(logits)[label], with weight 0 where the label is IGNORE_LABEL. With smoothing ε
 * and weights w, each position counts w[label], and its loss is (1 − ε) · w[label] · −log p[label] plus ε times the mean
 * of w · −log p over the classes (PyTorch, cross_entropy_loss_label_smoothing in LossNLL.cpp).
 */
function crossEntropySum(
  g: GraphBuilder,
  logits: string,
  labels: string,
  dtype: number,
  { labelSmoothing = 0, classWeights }: TrainingLoss = {},
): LossNodes {
  const last = g.ints([-1]);
  const ignore = g.scalar(IGNORE_LABEL, DType.int64);
  const counts = g.op('Not', [g.op('Equal', [labels, ignore])]);
  const some = g.op('Where', [counts, labels, g.scalar(0, DType.int64)]);
  const safe = g.op('Unsqueeze', [some, last]);
  const max = g.op('ReduceMax', [logits, last], { keepdims: 1 });
  const shifted = g.op('Sub', [logits, max]);
  const logSum = g.op('Log', [g.op('ReduceSum', [g.op('Exp', [shifted]), last], { keepdims: 1 })]);
  const nll = g.op('Sub', [logSum, g.op('GatherElements', [shifted, safe], { axis: -1 })]);
  const counted = g.op('Cast', [counts], { to: dtype });
  const perClass = classWeights && g.constant(dtype, [classWeights.length], [...classWeights]);
  const weights = perClass ? g.op('Mul', [g.op('Gather', [perClass, some]), counted]) : counted;
  let losses = g.op('Mul', [g.op('Squeeze', [nll, last]), weights]);
  if (labelSmoothing > 0) {
    const each = g.op('Sub', [logSum, shifted]);
    const mean = g.op('ReduceMean', [perClass ? g.op('Mul', [each, perClass]) : each, last], { keepdims: 0 });
    const spread = g.op('Mul', [g.op('Mul', [mean, counted]), g.scalar(labelSmoothing, dtype)]);
    losses = g.op('Add', [g.op('Mul', [losses, g.scalar(1 - labelSmoothing, dtype)]), spread]);
  }
  return {
    lossSum: g.op('ReduceSum', [losses], { keepdims: 0 }),
    count: g.op('ReduceSum', [weights], { keepdims: 0 }),
    stop: [max],
  };
}

function measureCrossEntropy(logits: HostTensor, labels: HostTensor): { lossSum: number; count: number } {
  const data = logits.data as Float32Array;
  const classes = logits.dims.at(-1)!;
  let [lossSum, count] = [0, 0];
  (labels.data as BigInt64Array).forEach((label, i) => {
    if (Number(label) === IGNORE_LABEL) return;
    lossSum += crossEntropy(data.subarray(i * classes, (i + 1) * classes), Number(label));
    count++;
  });
  return { lossSum, count };
}

export const OBJECTIVES: Record<ObjectiveName, Objective> = {
  /** logits (batch, classes), labels (batch). */
  'cross-entropy': {
    labels: { dtype: DType.int64, rank: 1 },
    build: crossEntropySum,
    measure: measureCrossEntropy,
  },

  /** logits (batch, sequence, classes), labels (batch, sequence). */
  'token-cross-entropy': {
    labels: { dtype: DType.int64, rank: 2 },
    ahead: 0,
    build: crossEntropySum,
    measure: measureCrossEntropy,
  },

  /**
   * logits (batch, outputs), labels (batch, outputs) of 0 and 1: the mean over both axes, as in PyTorch's
   * BCEWithLogitsLoss, of softplus(logit) − label · logit.
   */
  'binary-cross-entropy': {
    labels: { dtype: DType.float, rank: 'all' },
    build(g, logits, labels, dtype) {
      const wanted = dtype === DType.float ? labels : g.op('Cast', [labels], { to: dtype });
      const losses = g.op('Sub', [g.op('Softplus', [logits]), g.op('Mul', [wanted, logits])]);
      const size = g.op('Cast', [g.op('Size', [labels])], { to: dtype });
      return { lossSum: g.op('ReduceSum', [losses], { keepdims: 0 }), count: size, stop: [] };
    },
    measure(logits, labels) {
      const x = logits.data as Float32Array;
      const losses = Array.from(labels.data as Float32Array, (y, i) => binaryCrossEntropy(x[i], y));
      return { lossSum: losses.reduce((a, b) => a + b, 0), count: losses.length };
    },
  },

  /** logits (batch, outputs), labels (batch): squared error of output column 0. */
  mse: {
    labels: { dtype: DType.float, rank: 1 },
    build(g, logits, labels, dtype) {
      const column = g.op('Slice', [logits, g.ints([0]), g.ints([1]), g.ints([1])]);
      const wanted = dtype === DType.float ? labels : g.op('Cast', [labels], { to: dtype });
      const difference = g.op('Sub', [g.op('Squeeze', [column, g.ints([1])]), wanted]);
      const square = g.op('Mul', [difference, difference]);
      const size = g.op('Cast', [g.op('Size', [labels])], { to: dtype });
      return { lossSum: g.op('ReduceSum', [square], { keepdims: 0 }), count: size, stop: [] };
    },
    measure(logits, labels) {
      const [rows, outputs] = logits.dims;
      const data = logits.data as Float32Array;
      const squares = Array.from(labels.data as Float32Array, (y, i) => (data[i * outputs] - y) ** 2);
      return { lossSum: squares.reduce((a, b) => a + b, 0), count: rows };
    },
  },

  /**
   * A prediction and its target, both (batch, …): the mean squared error of each example, and 1 example counted for each.
   * Weights change the sum and not the count, as in diffusers' training scripts.
   */
  'noise-mse': {
    labels: { dtype: DType.float, rank: 'all' },
    build(g, logits, labels, dtype, _training, weights) {
      const inType = (x: string) => (dtype === DType.float ? x : g.op('Cast', [x], { to: dtype }));
      const difference = g.op('Sub', [logits, inType(labels)]);
      const rows = g.op('Reshape', [g.op('Mul', [difference, difference]), g.ints([0, -1])]);
      const means = g.op('ReduceMean', [rows, g.ints([1])], { keepdims: 0 });
      const losses = weights === undefined ? means : g.op('Mul', [means, inType(weights)]);
      return {
        lossSum: g.op('ReduceSum', [losses], { keepdims: 0 }),
        count: g.op('Cast', [g.op('Size', [means])], { to: dtype }),
        stop: [],
      };
    },
    measure(logits, labels) {
      const data = logits.data as Float32Array;
      const [count] = logits.dims;
      const squares = Array.from(labels.data as Float32Array, (y, i) => (data[i] - y) ** 2);
      return { lossSum: squares.reduce((a, b) => a + b, 0) / (squares.length / count), count };
    },
  },

  /** logits (batch, sequence, vocabulary), labels (batch, sequence): position t predicts label t+1. */
  'causal-lm': {
    labels: { dtype: DType.int64, rank: 2 },
    ahead: 1,
    build(g, logits, labels, dtype) {
      const axis = g.ints([1]);
      const before = g.op('Slice', [logits, g.ints([0]), g.ints([-1]), axis]);
      const after = g.op('Slice', [labels, g.ints([1]), g.ints([Number.MAX_SAFE_INTEGER]), axis]);
      return crossEntropySum(g, before, after, dtype);
    },
    measure(logits, labels) {
      const [rows, length] = labels.dims;
      const next = new BigInt64Array(rows * length).fill(BigInt(IGNORE_LABEL));
      const data = labels.data as BigInt64Array;
      for (let row = 0; row < rows; row++)
        next.set(data.subarray(row * length + 1, (row + 1) * length), row * length);
      return measureCrossEntropy(logits, { ...labels, data: next });
    },
  },
};
