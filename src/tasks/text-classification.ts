import { withAbsent } from '../protocol/absent-labels';
import { labelCounts } from '../data/audit';
import { integers } from '../data/batch';
import { answeredOf, encodeRow, textExample, type Answered, type TextExample } from '../data/dataset';
import { inferLabels, labelIndex, labelsIn, withKnownLabels } from '../data/labels';
import { labeledRows } from '../data/table/rows';
import { DType } from '../graph/dtype';
import { requireTokens } from './text/shown-text';
import { checkOutput } from './check-output';
import { linearHead } from './head';
import { ConfusionMatrix } from './metrics/confusion';
import { labelPredictions } from './answers';
import { labelsLikeNames, lopsided, misspelledLabels, unmeasuredLabels } from './label-findings';
import { mostFrequent } from './metrics/accuracy';
import { argmax, softmax } from './softmax';
import { readsTexts, type TextKind } from './text/text-data';

/** A text and the index of its label. */
interface LabeledText extends TextExample {
  label: number;
}

const classesOf = (examples: Iterable<Answered<LabeledText>>): Int32Array =>
  Int32Array.from(examples, (e) => e.label);

/** One label for each text or pair of texts: a linear head on pooled states, or the model's own logits; cross-entropy. */
export const textClassification = {
  objective: 'cross-entropy',
  ...readsTexts({
    format: labeledRows,
    labels: (path, rows) => inferLabels(path, labelsIn(rows)),
    known: withKnownLabels,
    stratum: ({ label }) => label,
    encoder(tokenizer, { labels }, { model }) {
      const classes = labelIndex(labels);
      return (row, index): LabeledText => ({
        ...textExample(encodeRow(tokenizer, row, model.maxLength), index),
        label: classes.get(row.label)!,
      });
    },
    answerer({ labels }) {
      const classes = labelIndex(labels);
      return (row) => ({ label: classes.get(row.label)! });
    },
  }),
  head: linearHead,
  checkOutput: (spec, name, info, labels) =>
    checkOutput(spec, name, info, { axes: ['batch'], outputs: labels.length }),
  expected: (examples) => integers(DType.int64, [examples.length], classesOf(examples)),
  weight: () => 1,
  classes: ({ label }) => [label],
  scorer({ labels }) {
    const matrix = new ConfusionMatrix(labels.length);
    return {
      add: ({ label }, logits) => matrix.add(label, argmax(logits)),
      metrics: () => ({
        ...withAbsent(matrix.absentLabels(labels)),
        accuracy: matrix.accuracy(),
        f1: matrix.f1(),
        macroF1: matrix.macroF1(),
        weightedF1: matrix.weightedF1(),
        matthews: matrix.matthews(),
        examples: matrix.examples,
      }),
    };
  },
  baseline: ({ train, validation, labels }) =>
    mostFrequent(
      classesOf(answeredOf(train.dataset.examples)),
      classesOf(answeredOf(validation.dataset.examples)),
      labels,
      'accuracy',
    ),
  guessLoss: ({ labels }) => Math.log(labels.length),
  facts: (examples, { labels }) => ({ labels: labelCounts(classesOf(answeredOf(examples)), labels) }),
  findings: (spec, data) => [
    ...labelsLikeNames(spec, data),
    ...lopsided(spec, data),
    ...misspelledLabels(data),
    ...unmeasuredLabels(data),
  ],
  predictions: labelPredictions,
  ask(texts, { tokenizer }, maxLength) {
    const example = { ...textExample(encodeRow(tokenizer, texts, maxLength), 0), label: 0 };
    requireTokens(example);
    return { example, answer: (logits) => ({ probabilities: [...softmax(logits)] }) };
  },
} satisfies TextKind<LabeledText>;
