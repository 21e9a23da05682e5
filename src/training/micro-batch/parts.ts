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
