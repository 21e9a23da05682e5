import type { TensorInfos } from '../../graph/infos';
import type { Task } from '../task/task';
import { elementsOf, openBytes } from './estimate';

/** Rows of a layer's input in a part: with fewer, its weights are read too often for what is computed with them. */
const LEAST_ROWS = 1024;
/** Of a part's forward tensors: with less, there is little memory to save, and starting each operator begins to count. */
const LEAST_BYTES = 2 ** 27;

/**
 * In how many parts a batch is run on the CPU if the experiment does not say: as many as take no more time
 * (docs/benchmarks.md).
 *
 * @param rows of the largest input of an adapted layer
 * @param bytes of all forward tensors
 */
export const defaultParts = (rows: number, bytes: number): number =>
  Math.max(1, Math.floor(Math.min(rows / LEAST_ROWS, bytes / LEAST_BYTES)));

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
export function defaultTokens({ adapters, infos }: Of, examples: number, length: number): number {
  const rows = adapters.flatMap(({ layer }) =>
    layer.calls.map(({ input }) => elementsOf(infos.get(input)?.shape.slice(0, -1) ?? [], examples, length)),
  );
  const parts = defaultParts(Math.max(0, ...rows), openBytes(infos, examples, length));
  return parts === 1 ? Infinity : Math.ceil(examples / parts) * length;
}
