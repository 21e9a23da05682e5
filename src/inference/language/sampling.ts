import type { GenerationSettings } from '../../protocol/playground';
import { Stream, uniform } from '../../base/random';
import { argmax } from '../../tasks/softmax';

/** Possible next tokens and their probabilities among each other. */
interface Candidates {
  ids: ArrayLike<number>;
  /** In the order of `ids`; they sum to 1. */
  probabilities: Float64Array;
}

type Limits = Pick<GenerationSettings, 'temperature' | 'topK' | 'topP'>;

/**
 * The tokens that may come next: first temperature, then the `topK` most likely (including all ties at the end), then
 * the fewest of these that together reach `topP`, in Hugging Face's order. Plain loops: a vocabulary has 100,000 tokens
 * or more, and this runs for each generated token.
 */
export function candidates(logits: Float32Array, { temperature, topK, topP }: Limits): Candidates {
  const ids =
    topK > 0 && topK < logits.length ? atLeast(logits, logits.toSorted().at(-topK)!) : everyToken(logits);
  const probabilities = new Float64Array(ids.length);
  let largest = -Infinity;
  for (let i = 0; i < ids.length; i++) largest = Math.max(largest, logits[ids[i]]);
  for (let i = 0; i < ids.length; i++) probabilities[i] = Math.exp((logits[ids[i]] - largest) / temperature);
  toSumOne(probabilities);
  return topP < 1 ? nucleus(ids, probabilities, topP) : { ids, probabilities };
}

const everyToken = (logits: Float32Array): Int32Array => new Int32Array(logits.length).map((_, id) => id);

function atLeast(logits: Float32Array, least: number): number[] {
  const ids: number[] = [];
  for (let id = 0; id < logits.length; id++) if (logits[id] >= least) ids.push(id);
  return ids;
}

function toSumOne(values: Float64Array): void {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  for (let i = 0; i < values.length; i++) values[i] /= sum;
}

function nucleus(ids: ArrayLike<number>, probabilities: Float64Array, topP: number): Candidates {
  // All tokens below this sum to less than the rest, so they are not needed and few must be sorted.
  const least = (1 - topP) / ids.length;
  const order: number[] = [];
  for (let i = 0; i < ids.length; i++) if (probabilities[i] >= least) order.push(i);
  order.sort((a, b) => probabilities[b] - probabilities[a] || ids[a] - ids[b]);
  let sum = 0;
  const end = order.findIndex((i) => (sum += probabilities[i]) >= topP);
  const kept = end < 0 ? order : order.slice(0, end + 1);
  const left = Float64Array.from(kept, (i) => probabilities[i]);
  toSumOne(left);
  return { ids: kept.map((i) => ids[i]), probabilities: left };
}

/**
 * The next token. The draw depends only on the seed and the position, so that two models that see the same text are
 * compared on the same draw.
 *
 * @param position of the new token among the generated ones, from 0
 */
export function nextToken(logits: Float32Array, settings: GenerationSettings, position: number): number {
  if (settings.temperature === 0) return argmax(logits);
  const { ids, probabilities } = candidates(logits, settings);
  let draw = uniform(settings.seed, Stream.generation, position);
  for (let i = 0; i < ids.length; i++) {
    draw -= probabilities[i];
    if (draw < 0) return ids[i];
  }
  // The probabilities may sum to slightly less than 1.
  return ids[ids.length - 1];
}
