import { integers } from '../../data/batch';
import type { Examples, TextExample } from '../../data/dataset';
import { DType } from '../../graph/dtype';
import type { HostTensor } from '../../graph/tensor-infos';
import type { Baseline } from '../../protocol/baseline';
import type { Scorer } from '../kind';
import { perplexity, TokenAccuracy } from '../metrics/token-scores';
import { IGNORE_LABEL } from '../objective';
import type { TextData } from './text-data';

/** A text with one target for each token: a token's id, or IGNORE_LABEL where nothing is to be predicted. */
export interface WithTargets extends TextExample {
  targets: Int32Array;
}

/** The tokens that are to be predicted. */
export const predictedTokens = ({ targets }: WithTargets): number[] =>
  [...targets].filter((t) => t !== IGNORE_LABEL);

/** (batch, length), with IGNORE_LABEL in the padding. */
export function targetLabels(examples: readonly WithTargets[], length: number): HostTensor {
  const labels = new Int32Array(examples.length * length).fill(IGNORE_LABEL);
  examples.forEach(({ targets }, e) => labels.set(targets, e * length));
  return integers(DType.int64, [examples.length, length], labels);
}

/** @param ahead 1 where a token predicts the one after it, 0 for its own place */
export function tokenScorer(ahead: 0 | 1): Scorer<WithTargets> {
  const accuracy = new TokenAccuracy(ahead);
  let examples = 0;
  return {
    add({ targets }, logits) {
      accuracy.add(targets, logits);
      examples++;
    },
    metrics: (loss) => ({ perplexity: perplexity(loss), tokenAccuracy: accuracy.accuracy(), examples }),
  };
}

/** If examples are read from disk, the most frequent token is that of the first ones. */
const COUNTED_EXAMPLES = 10_000;

/** Always the most frequent of the tokens to predict in the training data; the first id at ties. */
export function mostFrequentToken({ train, validation, tokenizer }: TextData<WithTargets>): Baseline {
  const counts = new Map<number, number>();
  const { examples } = train.dataset;
  const read = examples.sizes ? Math.min(examples.length, COUNTED_EXAMPLES) : examples.length;
  for (let i = 0; i < read; i++)
    for (const id of predictedTokens(examples.at(i)!)) counts.set(id, (counts.get(id) ?? 0) + 1);
  const most = [...counts].reduce(
    (a, b) => (b[1] > a[1] || (b[1] === a[1] && b[0] < a[0]) ? b : a),
    [0, 0],
  )[0];
  let [right, all] = [0, 0];
  for (const example of validation.dataset.examples)
    for (const id of predictedTokens(example)) {
      if (id === most) right++;
      all++;
    }
  return {
    answer: `always "${tokenizer.piece(most) ?? 'the end'}"`,
    metric: 'tokenAccuracy',
    value: right / all,
  };
}

export function targetCount(examples: Examples<WithTargets>): number {
  let sum = 0;
  const counts = examples.counted ?? examples.map((e) => predictedTokens(e).length);
  for (let i = 0; i < counts.length; i++) sum += counts[i];
  return sum;
}
