import type { Outputs } from '../../protocol/outputs';
import type { Scorer } from '../kind';
import { ratio } from '../metrics/ratio';
import { keyOf } from './span-answers';
import { spansOf } from './spans';
import { predictedTags, trueTags, type TaggedText } from '../text/tagged-text';

/**
 * Precision, recall and F1 over the entities of all examples (micro-averaged): one counts as found if its words and its
 * type are predicted exactly (seqeval.metrics.f1_score). 0 where undefined.
 */
export function spanScorer({ labels }: Outputs): Scorer<TaggedText> {
  let [examples, words, right, wanted, made, found] = [0, 0, 0, 0, 0, 0];
  return {
    add(example, logits) {
      const truth = trueTags(example, labels);
      const predicted = predictedTags(example, logits, labels);
      examples++;
      words += truth.length;
      right += truth.filter((tag, i) => tag === predicted[i]).length;
      const keys = new Set(spansOf(truth).map(keyOf));
      const others = spansOf(predicted).map(keyOf);
      wanted += keys.size;
      made += others.length;
      found += others.filter((key) => keys.has(key)).length;
    },
    metrics: () => ({
      entityF1: ratio(2 * found, wanted + made),
      entityPrecision: ratio(found, made),
      entityRecall: ratio(found, wanted),
      tagAccuracy: ratio(right, words),
      examples,
    }),
  };
}
