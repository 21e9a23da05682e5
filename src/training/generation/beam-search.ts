import type { Decoder, DecoderOptions } from './decoder';
import { logSumExp, mostLikely } from './most-likely';

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
