import type { GenerationSettings } from '../../protocol/playground';
import { Stream, uniform } from '../../base/random';
import { argmax } from '../../tasks/softmax';

/** Tokens that may come next, and how likely each is among them. */
interface Candidates {
  ids: ArrayLike<number>;
  /** In the order of `ids`; they sum to 1. */
  probabilities: Float64Array;
}

type Limits = Pick<GenerationSettings, 'temperature' | 'topK' | 'topP'>;

/**
 * The tokens that may come next: temperature first, then the `topK` likeliest (of equals at the end all), then the
 * fewest of these that have `topP` together, as Hugging Face orders them. Plain loops: a vocabulary has 100,000 tokens
 * and more, and all this is done for each token that is written.
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
  // All below this have less than the rest together, so they are not needed: only few must be sorted.
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
 * The next token. The draw is that of the seed and the position alone, so that two models that see the same text are
 * compared on the same luck.
 *
 * @param position of the new token among those that are made, from 0
 */
export function nextToken(logits: Float32Array, settings: GenerationSettings, position: number): number {
  if (settings.temperature === 0) return argmax(logits);
  const { ids, probabilities } = candidates(logits, settings);
  let draw = uniform(settings.seed, Stream.generation, position);
  for (let i = 0; i < ids.length; i++) {
    draw -= probabilities[i];
    if (draw < 0) return ids[i];
  }
  // The probabilities add up to a little less than 1.
  return ids[ids.length - 1];
}
