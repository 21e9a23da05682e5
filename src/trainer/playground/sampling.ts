import type { GenerationSettings } from '../../shared/playground';
import { Stream, uniform } from '../../shared/random';
import { argmax, softmax } from '../softmax';

/** A token that may come next, and how likely it is among those that may. */
export interface Candidate {
  id: number;
  probability: number;
}

type Limits = Pick<GenerationSettings, 'temperature' | 'topK' | 'topP'>;

/**
 * The tokens that may come next: temperature first, then the `topK` likeliest (of equals at the end all), then the
 * fewest of these that have `topP` together, as Hugging Face orders them. Their probabilities sum to 1.
 */
export function candidates(logits: Float32Array, { temperature, topK, topP }: Limits): Candidate[] {
  const kept = topK > 0 && topK < logits.length ? atLeast(logits, logits.toSorted().at(-topK)!) : undefined;
  const ids = kept ?? Array.from(logits.keys());
  const probabilities = softmax(ids.map((id) => logits[id] / temperature));
  const all = ids.map((id, i) => ({ id, probability: probabilities[i] }));
  return topP < 1 ? nucleus(all, topP) : all;
}

const atLeast = (logits: Float32Array, least: number): number[] =>
  Array.from(logits.keys()).filter((id) => logits[id] >= least);

function nucleus(all: readonly Candidate[], topP: number): Candidate[] {
  // All below this have less than the rest together, so they are not needed: only few must be sorted.
  const least = (1 - topP) / all.length;
  const sorted = all
    .filter((c) => c.probability >= least)
    .sort((a, b) => b.probability - a.probability || a.id - b.id);
  let sum = 0;
  const end = sorted.findIndex((c) => (sum += c.probability) >= topP);
  const kept = end < 0 ? sorted : sorted.slice(0, end + 1);
  const total = kept.reduce((t, c) => t + c.probability, 0);
  return kept.map(({ id, probability }) => ({ id, probability: probability / total }));
}

/**
 * The next token. The draw is that of the seed and the position alone, so that two models that see the same text are
 * compared on the same luck.
 *
 * @param position of the new token among those that are made, from 0
 */
export function nextToken(logits: Float32Array, settings: GenerationSettings, position: number): number {
  if (settings.temperature === 0) return argmax(logits);
  const left = candidates(logits, settings);
  let draw = uniform(settings.seed, Stream.generation, position);
  for (const { id, probability } of left) {
    draw -= probability;
    if (draw < 0) return id;
  }
  // The probabilities add up to a little less than 1.
  return left.at(-1)!.id;
}
