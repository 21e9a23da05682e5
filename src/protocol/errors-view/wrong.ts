import { SPAN_FOUND, type Answers } from '../predictions';

/** For each example 1 if its answer is wrong, in part or as a whole. */
export function wrongOf(predictions: Answers): Uint8Array {
  if (predictions.answer === 'label') {
    const { label, predicted } = predictions.columns;
    return Uint8Array.from(label, (l, i) => Number(l !== predicted[i]));
  }
  const wrong = new Uint8Array(predictions.columns.line.length);
  const { example, found } = predictions.spans;
  found.forEach((f, i) => {
    if (f !== SPAN_FOUND) wrong[example[i]] = 1;
  });
  return wrong;
}
