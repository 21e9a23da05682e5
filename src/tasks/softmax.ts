/** Probabilities of one example's logits, in float64; equal infinities share alike. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  const largest = Array.from(logits).reduce((a, b) => Math.max(a, b), -Infinity);
  const out = Float64Array.from(logits, (v) => (v === largest ? 1 : Math.exp(v - largest)));
  const sum = out.reduce((a, b) => a + b, 0);
  return out.map((v) => v / sum);
}

/** −log softmax(logits)[label], in float64. */
export function crossEntropy(logits: ArrayLike<number>, label: number): number {
  let largest = -Infinity;
  for (let c = 0; c < logits.length; c++) largest = Math.max(largest, logits[c]);
  let sum = 0;
  for (let c = 0; c < logits.length; c++) sum += Math.exp(logits[c] - largest);
  return Math.log(sum) + largest - logits[label];
}

/** The class with the largest logit; the first at ties. */
export function argmax(logits: ArrayLike<number>): number {
  let best = 0;
  for (let c = 1; c < logits.length; c++) if (logits[c] > logits[best]) best = c;
  return best;
}

/** −log of the probability of a label that is there (1) or not (0). */
export const binaryCrossEntropy = (logit: number, label: number): number =>
  Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - label * logit;

export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));
