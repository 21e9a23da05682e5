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
