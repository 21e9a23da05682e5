/**
 * The parts that all models of texts share: inputs, embeddings, hidden states as an output, and the head of a language
 * model. Names of inputs, outputs and weights are those of transformers' modeling files, which Optimum's ONNX exports
 * keep; between blocks, hidden states are (tokens, size). A part that all text models have goes here, one of attention
 * into `attention`, one of a single family into its file in `families`, and the head of a task into `heads`.
 */

import { DType } from '../../graph/dtype';
import type { Config } from '../folder/config';
import { softCap } from './attention';
import { linear } from './layers';
import type { Network } from './network';

/** Inputs and sizes of a model that reads token ids. */
export interface TextInputs {
  ids: string;
  mask: string;
  /** A vector tensor: (batch, sequence). */
  rows: string;
}

const AXES = ['batch', 'sequence'];

export function textInputs(net: Network): TextInputs {
  const ids = integers(net, 'input_ids');
  const mask = integers(net, 'attention_mask', net.cached ? ['batch', 'slots'] : AXES);
  return { ids, mask, rows: net.op('', 'Shape', [ids]) };
}

/** An input of integers, (batch, sequence) by default. */
export const integers = (net: Network, name: string, axes: (string | number)[] = AXES): string =>
  net.g.addInput(name, DType.int64, axes);

/** 0 … sequence − 1, int64. */
export function counted(net: Network, rows: string): string {
  const one = net.g.scalar(1, DType.int64);
  const length = net.op('', 'Gather', [rows, one]);
  return net.op('', 'Range', [net.g.scalar(0, DType.int64), length, one]);
}

/** nn.Embedding: rows of a table (count, size). */
export const embedding = (net: Network, module: string, ids: string, count: number, size: number): string =>
  net.op(module, 'Gather', [net.weight(`${module}.weight`, [count, size]), ids]);

/** (batch, sequence, size) to (tokens, size): linear layers are products of two matrices. */
export const flat = (net: Network, x: string, size: number): string =>
  net.op('', 'Reshape', [x, net.g.ints([-1, size])]);

/** Names hidden states (tokens, size) as the output last_hidden_state, (batch, sequence, size). */
export function hiddenOutput(net: Network, x: string, rows: string, size: number): void {
  net.output('last_hidden_state', inRows(net, x, rows, size), [...AXES, size]);
}

/** Hidden states (tokens, size) as (batch, sequence, size). */
export const inRows = (net: Network, x: string, rows: string, size: number): string =>
  net.op('', 'Reshape', [x, net.op('', 'Concat', [rows, net.g.ints([size])], { axis: 0 })]);

/**
 * True if a decoder gives logits: its base model alone, or a classifier on it, does not, unless the embedding serves as
 * head. A language model whose head is missing is reported when the head is read.
 */
export const hasLanguageHead = (
  net: Network,
  config: Config,
  { tied, head = HEAD }: { tied: boolean; head?: string },
): boolean =>
  !config.isFor('ForSequenceClassification') &&
  !config.isFor('ForTokenClassification') &&
  (tied ||
    net.weights.has(`${head}.weight`, true) ||
    config.isFor('ForCausalLM') ||
    config.isFor('LMHeadModel'));

/** The module of the head, in most families. */
export const HEAD = 'lm_head';

/** The source of a language model's logits. */
export interface LanguageHead {
  hidden: number;
  vocabulary: number;
  /** Name of the embedding's weight, if the head has the same. */
  tied?: string;
  /** The module of the head. */
  head?: string;
  /** True if the head has a bias, tied or not. */
  bias?: boolean;
  /** Logits are kept below it by a tanh. */
  cap?: number;
  /** They are multiplied by it. */
  factor?: number;
}

/** Names the logits of hidden states (tokens, size) as an output: (batch, sequence, vocabulary). */
export function languageHead(
  net: Network,
  x: string,
  rows: string,
  { hidden, vocabulary, tied, head = HEAD, bias = false, cap, factor }: LanguageHead,
): void {
  const biases = () => (bias ? [net.weight(`${head}.bias`, [vocabulary], true)] : []);
  const logits =
    tied === undefined
      ? linear(net, head, x, { from: hidden, to: vocabulary, bias, fromTop: true })
      : net.op(head, 'Gemm', [x, net.weight(tied, [vocabulary, hidden]), ...biases()], { transB: 1 });
  const scaled = factor === undefined ? logits : net.op('', 'Mul', [logits, net.float(factor)]);
  const capped = cap === undefined ? scaled : softCap(net, '', scaled, cap);
  net.output('logits', inRows(net, capped, rows, vocabulary), [...AXES, vocabulary]);
}
