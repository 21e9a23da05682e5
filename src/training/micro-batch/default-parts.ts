import type { TaskOptions } from '../../engine/stepper';
import { byteSize } from '../../graph/dtype';
import { batchMultiple } from '../../graph/sizes/batch-infos';
import type { TensorInfo, TensorInfos } from '../../graph/tensor-infos';
import type { Task } from '../task/task';

/** A training step keeps tensors for its backward pass; an evaluation keeps little; writing keeps keys and values. */
export type Pass = 'step' | 'evaluation' | 'writing';

/** The purpose of running a batch. */
export interface Purpose {
  pass: Pass;
  /** For a step: the experiment's precision, 'float32' by default. */
  precision?: TaskOptions['precision'];
}

/**
 * Values of the hidden states in a part: tensors between operators then stay in a processor's cache. 1,024 rows of
 * width 384, and 512 of 768: 0.72 times the memory of 1,024, and 0.95 to 1.04 times the time of a step on three
 * processors.
 */
const LEAST_VALUES = 1024 * 384;
/** With fewer rows, the weights are read too often for the amount of computation. */
const LEAST_ROWS = 512;
/**
 * The rows of a part in the narrowest models; with half as many, evaluations, which keep little, take 1.08 times the
 * time, and steps in int8 1.12 times. Weights that are not stored in float32 are converted for each part.
 */
const ROWS = 1024;
/**
 * The size of a part's forward tensors: with less, there is little memory to save, and starting each operator begins to
 * count.
 */
const LEAST_BYTES = 2 ** 27;

interface Batch {
  /** True for a step with frozen weights as they are in the file, in float32. */
  plain: boolean;
  /** The rows of the largest input of an adapted layer. */
  rows: number;
  /** The width of the model's hidden states. */
  width: number;
  /** The bytes of all forward tensors. */
  bytes: number;
}

/**
 * The number of parts of a batch on the CPU if the experiment does not state it: as many as take hardly more time
 * (docs/benchmarks.md).
 */
export function defaultParts({ plain, rows, width, bytes }: Batch): number {
  const least = plain ? Math.min(ROWS, Math.max(LEAST_ROWS, LEAST_VALUES / width)) : ROWS;
  return Math.max(1, Math.floor(Math.min(rows / least, bytes / LEAST_BYTES)));
}

/** The widest adapted layer's narrower side: a layer that widens or narrows hidden states has their width on one side. */
export const hiddenWidth = (adapters: Of['adapters']): number =>
  Math.max(1, ...adapters.map(({ layer }) => Math.min(layer.inFeatures, layer.outFeatures)));

export const isPlain = ({ pass, precision = 'float32' }: Purpose, adapters: Of['adapters']): boolean =>
  pass === 'step' && precision === 'float32' && adapters.every(({ layer }) => layer.plain);

interface Of {
  adapters: Readonly<Task['adapters']>;
  infos: TensorInfos;
}

/**
 * The padded tokens of such a part. They depend on sizes alone, so that a run has the same bits on any machine.
 *
 * @param task whole, or the rest of one after a frozen prefix: both have the same parts
 * @returns Infinity if the batch is one part
 */
export function defaultTokens(
  purpose: Purpose,
  { adapters, infos }: Of,
  examples: number,
  length: number,
): number {
  const rows = adapters.flatMap(({ layer }) =>
    layer.calls.map(({ input }) => elementsOf(infos.get(input)?.shape.slice(0, -1) ?? [], examples, length)),
  );
  const parts = defaultParts({
    plain: isPlain(purpose, adapters),
    rows: Math.max(0, ...rows),
    width: hiddenWidth(adapters),
    bytes: openBytes(infos, examples, length),
  });
  return parts === 1 ? Infinity : Math.ceil(examples / parts) * length;
}

/** Examples that are run through the model at once. */
export interface Part {
  indices: readonly number[];
  /** Length to which each of them is padded. */
  length: number;
}

/** The most that may run at once. */
export interface PartLimit {
  examples: number;
  /** Examples × padded length: a size that fits at length 32 may not fit at 128. */
  tokens: number;
}

/** The number of examples of one length that may run at once; at least one. */
export const partSize = ({ examples, tokens }: PartLimit, length: number): number =>
  Math.max(1, Math.min(examples, Math.floor(tokens / length)));

/**
 * Splits a batch into parts within the limit. A batch within the limit stays as it is. If padding has no effect, parts
 * have texts of similar length, each padded to its longest text; otherwise all keep the batch's padding.
 *
 * @param lengthOf tokens of an example
 * @param trims true if padding has no effect
 */
export function cutBatch(
  batch: readonly number[],
  lengthOf: (index: number) => number,
  limit: PartLimit,
  trims: boolean,
): Part[] {
  const longest = (indices: readonly number[]) => Math.max(...indices.map(lengthOf));
  const whole = { indices: batch, length: longest(batch) };
  if (partSize(limit, whole.length) >= batch.length) return [whole];
  const order = trims ? batch.toSorted((a, b) => lengthOf(b) - lengthOf(a)) : batch;
  const parts: Part[] = [];
  for (let at = 0; at < order.length;) {
    const length = trims ? lengthOf(order[at]) : whole.length;
    const indices = order.slice(at, at + partSize(limit, length));
    parts.push({ indices, length });
    at += indices.length;
  }
  return parts;
}

/** Half the examples of the largest part with more than one, in padded tokens; undefined if there is none. */
export function halved(parts: readonly Part[]): number | undefined {
  const divisible = parts.filter((p) => p.indices.length > 1);
  if (divisible.length === 0) return undefined;
  return Math.max(...divisible.map(({ indices, length }) => (indices.length >> 1) * length));
}

type Shape = TensorInfo['shape'];

/** Elements of a tensor for a batch: its axes are multiples of the batch, batch and length together (`|`), or the length. */
function elementsOf(shape: Shape, examples: number, length: number): number {
  const size = (axis: number | string) =>
    typeof axis === 'number'
      ? axis
      : batchMultiple(axis) !== undefined
        ? examples * batchMultiple(axis)!
        : axis.includes('|')
          ? examples * length
          : length;
  return shape.reduce<number>((n, axis) => n * size(axis), 1);
}

const bytesOf = ({ dtype, shape }: TensorInfo, examples: number, length: number): number =>
  (byteSize(dtype) ?? 0) * elementsOf(shape, examples, length);

/**
 * Bytes of all tensors that the user's model computes for a batch: more than a step holds at once, since the runtime
 * frees tensors that no gradient needs.
 */
export function forwardBytes({ model, infos }: Task, examples: number, length: number): number {
  let bytes = 0;
  for (const name of model.graph.nodes.flatMap((n) => n.outputs)) {
    const info = infos.get(name);
    if (info) bytes += bytesOf(info, examples, length);
  }
  return bytes;
}

/** The bytes of all known tensors with an open axis, also of those below a frozen prefix. */
function openBytes(infos: TensorInfos, examples: number, length: number): number {
  let bytes = 0;
  for (const info of infos.values())
    if (info.shape.some((axis) => typeof axis === 'string')) bytes += bytesOf(info, examples, length);
  return bytes;
}
