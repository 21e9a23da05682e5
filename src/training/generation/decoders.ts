import { argmax } from '../../tasks/softmax';

/** Writes one text, a token at a time. */
export interface Decoder {
  /** The texts after which the model is to write next; none once the decoder is done. */
  wanted(): readonly (readonly number[])[];
  /** For each of them, the index of the one before that it continues by a token; at first 0, the prompt. */
  continued(): readonly number[];
  /** @param logits of the token after each of them */
  take(logits: readonly Float32Array[]): void;
  /** The new tokens, without one that ends the text. */
  written(): readonly number[];
}

interface DecoderOptions {
  prompt: readonly number[];
  maxTokens: number;
  ends: ReadonlySet<number>;
  /** True if the new tokens end the text; for greedy decoding. */
  isOver?(made: readonly number[]): boolean;
}

/** Always the most likely token; of equal ones, the first. */
export function greedy({ prompt, maxTokens, ends, isOver }: DecoderOptions): Decoder {
  const made: number[] = [];
  let hasEnded = false;
  return {
    wanted: () => (hasEnded || made.length >= maxTokens ? [] : [[...prompt, ...made]]),
    continued: () => [0],
    take([logits]) {
      const token = argmax(logits);
      hasEnded = ends.has(token);
      if (hasEnded) return;
      made.push(token);
      hasEnded = isOver?.(made) ?? false;
    },
    written: () => made,
  };
}

interface Text {
  made: readonly number[];
  /** The sum of its log-probabilities. */
  sum: number;
  /** The index of the text that it continues. */
  from: number;
}

interface Finished {
  made: readonly number[];
  /** The sum, divided by the number of new tokens. */
  score: number;
}

/**
 * Beam search as in transformers, with a length penalty of 1 and without early stopping (BeamSearchScorer): `beams` texts
 * are continued at once. A text that ends is put aside, and the search continues until none can score better than the
 * worst of `beams` such texts.
 */
export function beamSearch({ prompt, maxTokens, ends, beams }: DecoderOptions & { beams: number }): Decoder {
  let texts: Text[] = [{ made: [], sum: 0, from: 0 }];
  let finished: Finished[] = [];
  let length = 0;
  let isDone = maxTokens === 0;

  const finish = (made: readonly number[], sum: number): void => {
    finished = [...finished, { made, score: sum / length }]
      .toSorted((a, b) => b.score - a.score)
      .slice(0, beams);
  };

  return {
    wanted: () => (isDone ? [] : texts.map(({ made }) => [...prompt, ...made])),
    continued: () => texts.map(({ from }) => from),
    take(logits) {
      length++;
      const offers = texts.map(({ sum }, i) => ({ logits: logits[i], add: sum - logSumExp(logits[i]) }));
      const best = mostLikely(offers, 2 * beams);
      const going: Text[] = [];
      for (const [rank, { from, token, score }] of best.entries()) {
        const { made } = texts[from];
        if (ends.has(token)) {
          if (rank < beams) finish(made, score);
        } else if (going.length < beams) going.push({ made: [...made, token], sum: score, from });
      }
      texts = going;
      const isEnough = finished.length === beams && finished.at(-1)!.score >= best[0].score / length;
      isDone = isEnough || length >= maxTokens || texts.length === 0;
      if (isDone && !isEnough) for (const { made, sum } of texts) finish(made, sum);
    },
    written: () => finished[0]?.made ?? [],
  };
}

/** A possible continuation of a text: each token's score is its logit and `add`. */
export interface Offer {
  logits: Float32Array;
  add: number;
}

export interface Continuation {
  /** The index of the offer. */
  from: number;
  token: number;
  score: number;
}

/** The continuations with the highest scores, best first; of equal ones, the first offer and token. */
export function mostLikely(offers: readonly Offer[], count: number): Continuation[] {
  const best: Continuation[] = [];
  offers.forEach(({ logits, add }, from) => {
    for (let token = 0; token < logits.length; token++) {
      const score = logits[token] + add;
      if (best.length === count && score <= best[count - 1].score) continue;
      let at = best.length;
      while (at > 0 && best[at - 1].score < score) at--;
      best.splice(at, 0, { from, token, score });
      if (best.length > count) best.pop();
    }
  });
  return best;
}

export function logSumExp(logits: Float32Array): number {
  let largest = -Infinity;
  for (const v of logits) largest = Math.max(largest, v);
  let sum = 0;
  for (const v of logits) sum += Math.exp(v - largest);
  return Math.log(sum) + largest;
}
