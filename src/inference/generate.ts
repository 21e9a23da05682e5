import { AuroraError } from '../base/errors';
import { Stream, uniform } from '../base/random';
import type { Generated } from '../protocol/playground';
import type { GenerationSettings, PlayVariant } from '../protocol/play-question';
import { argmax } from '../tasks/softmax';
import type { LanguageModel } from './subject';

/**
 * Continues a prompt token by token. The whole text is recomputed for each token: there is no key-value cache.
 *
 * @param more gets the final parts of the text, piece by piece
 * @param stopped is checked before each token
 * @throws AuroraError 'data' for a prompt that fills the model's length
 */
export async function generate(
  model: LanguageModel,
  variant: PlayVariant,
  prompt: string,
  settings: GenerationSettings,
  more: (text: string) => Promise<void>,
  stopped: () => boolean,
): Promise<Generated> {
  const ids = promptIds(model, prompt);
  const promptTokens = ids.length;
  const stream = new TextStream(model.decode, ids);
  let seconds = 0;
  let secondsToFirst = 0;
  const made = () => ids.length - promptTokens;
  const result = (ended: Generated['ended']): Generated => ({
    text: stream.text(ids),
    tokens: made(),
    promptTokens,
    secondsToFirst,
    tokensPerSecond: seconds > 0 ? made() / seconds : 0,
    ended,
  });
  while (made() < settings.maxTokens) {
    if (stopped()) return result('stopped');
    if (model.longest !== undefined && ids.length >= model.longest) return result('full');
    const step = await model.next(ids, variant);
    const token = nextToken(step.logits, settings, made());
    seconds += step.seconds;
    if (made() === 0) secondsToFirst = step.seconds;
    if (model.ends.has(token)) return result('end');
    ids.push(token);
    const text = stream.more(ids);
    if (text !== '') await more(text);
  }
  return result('length');
}

function promptIds(model: LanguageModel, prompt: string): number[] {
  const ids = model.encode(prompt);
  if (ids.length === 0)
    throw new AuroraError('data', 'The tokenizer produces no tokens for this prompt.', 'Type some words.');
  if (model.longest !== undefined && ids.length >= model.longest)
    throw new AuroraError(
      'data',
      `The prompt has ${ids.length} tokens, and the model’s limit is ${model.longest}, including the generated ones.`,
      'Shorten the prompt.',
    );
  return ids;
}

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

/** The end of a text whose last character is still incomplete. */
const UNFINISHED = /\ufffd+$/;

/**
 * The final text that new tokens add: a token may hold half a character, and its text may depend on earlier tokens, so
 * all of them are decoded again each time.
 */
export class TextStream {
  private told: string;
  private readonly begin: number;

  /** @param prompt the existing tokens */
  constructor(
    private readonly decode: (ids: readonly number[]) => string,
    prompt: readonly number[],
  ) {
    this.told = decode(prompt);
    this.begin = this.told.length;
  }

  /** @param ids all tokens, including the prompt's */
  more(ids: readonly number[]): string {
    const whole = this.decode(ids).replace(UNFINISHED, '');
    if (!whole.startsWith(this.told)) return '';
    const more = whole.slice(this.told.length);
    this.told = whole;
    return more;
  }

  /** The whole text without the prompt, even if its last character is incomplete. */
  text(ids: readonly number[]): string {
    return this.decode(ids).slice(this.begin);
  }
}
