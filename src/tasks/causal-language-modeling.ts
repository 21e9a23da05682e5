import { integers } from '../data/batch';
import { readLanguageRows } from '../data/table/language-rows';
import { DType } from '../graph/dtype';
import { checkOutput } from './check-output';
import { languagePredictions, keptLogits } from './language-answers';
import { languageText, type LanguageText } from './language-text';
import { perplexity } from './metrics/perplexity';
import { NextTokenAccuracy } from './metrics/token-accuracy';
import { IGNORE_LABEL } from './objective';
import { readsTexts, type TextKind } from './text-data';

/** The next token of a text: the model's own logits; cross-entropy of the tokens that count. */
export const causalLanguageModeling = {
  objective: 'causal-lm',
  ...readsTexts({
    rows: readLanguageRows,
    labels: () => [],
    known: (_, rows) => rows,
    stratum: () => '',
    encoder: (tokenizer, _, { model, task }) => {
      const options = { maxLength: model.maxLength, lossOn: task.lossOn ?? 'answers' };
      return (row, index) => languageText(tokenizer, row, options, index);
    },
  }),
  head: () => undefined,
  checkOutput: (spec, name, info) => checkOutput(spec, name, info, { axes: ['batch', 'sequence'] }),
  expected(examples, length) {
    const labels = new Int32Array(examples.length * length).fill(IGNORE_LABEL);
    examples.forEach(({ targets }, e) => labels.set(targets, e * length));
    return integers(DType.int64, [examples.length, length], labels);
  },
  weight: ({ targets }) => counted(targets).length,
  scorer() {
    const accuracy = new NextTokenAccuracy();
    let examples = 0;
    return {
      add({ targets }, logits) {
        accuracy.add(targets, logits);
        examples++;
      },
      metrics: (loss) => ({
        perplexity: perplexity(loss),
        tokenAccuracy: accuracy.accuracy(),
        examples,
      }),
    };
  },
  baseline({ train, validation, tokenizer }) {
    const counts = new Map<number, number>();
    for (const { targets } of train.dataset.examples)
      for (const id of counted(targets)) counts.set(id, (counts.get(id) ?? 0) + 1);
    const most = [...counts].reduce(
      (a, b) => (b[1] > a[1] || (b[1] === a[1] && b[0] < a[0]) ? b : a),
      [0, 0],
    )[0];
    const expected = validation.dataset.examples.flatMap((e) => counted(e.targets));
    return {
      answer: `always "${tokenizer.piece(most) ?? 'the end'}"`,
      metric: 'tokenAccuracy',
      value: expected.filter((id) => id === most).length / expected.length,
    };
  },
  guessLoss: ({ tokenizer }) => Math.log(tokenizer.vocabSize),
  facts: (examples) => ({
    labels: {},
    targets: examples.reduce((sum, e) => sum + counted(e.targets).length, 0),
  }),
  findings: () => [],
  keep: keptLogits,
  predictions: languagePredictions,
} satisfies TextKind<LanguageText>;

const counted = (targets: Int32Array): number[] => [...targets.subarray(1)].filter((t) => t !== IGNORE_LABEL);
