import type { Outputs } from '../../protocol/outputs';
import { type TextAnswers, textColumns } from '../../protocol/answers/text';
import type { DataSplit } from '../task-data';
import { IGNORE_LABEL } from '../objective';
import { exampleColumns, rounded } from './predictions';
import { crossEntropy } from '../softmax';

/**
 * The log-probability of each token that counts, and the distance of its logit above that of every other token. All
 * logits of a data set would not fit into memory.
 *
 * @param targets (tokens), with IGNORE_LABEL for tokens that do not count
 * @param logits (tokens, vocabulary)
 * @param ahead 1 where a position predicts the token after it, 0 for its own
 * @returns two numbers a token
 */
export function keptLogits(targets: Int32Array, logits: Float32Array, ahead: 0 | 1): Float32Array {
  const vocabulary = logits.length / targets.length;
  const kept: number[] = [];
  for (let t = 0; t + ahead < targets.length; t++) {
    const target = targets[t + ahead];
    if (target === IGNORE_LABEL) continue;
    const own = logits.subarray(t * vocabulary, (t + 1) * vocabulary);
    let other = -Infinity;
    for (let id = 0; id < vocabulary; id++) if (id !== target && own[id] > other) other = own[id];
    kept.push(-crossEntropy(own, target), own[target] - other);
  }
  return Float32Array.from(kept);
}

/** @param kept of each example, in data order */
export function languagePredictions(
  split: DataSplit,
  _: Outputs,
  kept: readonly Float32Array[],
): TextAnswers {
  const tokens = kept.map((k) => k.length / 2);
  const columns = textColumns({
    ...exampleColumns(split),
    loss: kept.map((k, i) =>
      rounded(-k.reduce((sum, v, at) => (at % 2 === 0 ? sum + v : sum), 0) / tokens[i]),
    ),
    margin: kept.map(() => 0),
    answered: tokens,
    right: kept.map((k) => k.reduce((n, v, at) => (at % 2 === 1 && v > 0 ? n + 1 : n), 0)),
  });
  return { answer: 'text', labels: [], columns };
}
