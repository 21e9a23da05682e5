import { type Answers } from '../predictions';
import { ANSWER_FOUND } from '../prediction-columns';

/** For each example 1 if its answer is wrong, in part or as a whole. A number has a distance and is never wrong. */
export function wrongOf(predictions: Answers): Uint8Array {
  if (predictions.answer === 'label' || predictions.answer === 'choice') {
    const { label, predicted } = predictions.columns;
    return Uint8Array.from(label, (l, i) => Number(l !== predicted[i]));
  }
  const wrong = new Uint8Array(predictions.columns.line.length);
  if (predictions.answer !== 'labels' && predictions.answer !== 'spans') return wrong;
  const { example, found } = predictions.answer === 'labels' ? predictions.sets : predictions.spans;
  found.forEach((f, i) => {
    if (f !== ANSWER_FOUND) wrong[example[i]] = 1;
  });
  return wrong;
}
