import { withAbsent } from '../protocol/absent-labels';
import { AuroraError } from '../base/errors';
import { answeredOf, encodeRow, textExample, type Examples, type TextExample } from '../data/dataset';
import { distinctLabels, labelIndex, withKnownLabels } from '../data/labels';
import { labelSetRows, type LabelSetRow } from '../data/table/answer-rows';
import { DType } from '../graph/dtype';
import { requireTokens } from './text/shown-text';
import { checkOutput } from './check-output';
import { linearHead } from './head';
import { misspelledLabels, unmeasuredLabels } from './label-findings';
import { labelSetPredictions } from './answers';
import { MultiLabelScores } from './metrics/multi-label';
import { sigmoid } from './softmax';
import { readsTexts, type TextKind } from './text/text-data';

/** A text with, for each label, 1 if the text has it and otherwise 0. */
export interface LabelSetText extends TextExample {
  truth: Uint8Array;
}

/**
 * Any number of labels for each text or pair of texts: a linear head on pooled states, or the model's own logits; binary
 * cross-entropy.
 */
export const multiLabelClassification = {
  objective: 'binary-cross-entropy',
  ...readsTexts({
    format: labelSetRows,
    labels(path, rows, { data }) {
      const labels = data.labelColumns ?? distinctLabels(new Set(allLabels(rows)));
      if (labels.length === 0)
        throw new AuroraError('labels', `${path} has no label.`, 'Check data.labelColumn.');
      return labels;
    },
    known: (path, rows, labels, onBadRow) => withKnownLabels(path, rows, labels, onBadRow, (r) => r.labels),
    stratum: () => '',
    labelSet: (row) => row.labels,
    encoder(tokenizer, { labels }, { model }) {
      const truthOf = truths(labels);
      return (row, at): LabelSetText => ({
        ...textExample(encodeRow(tokenizer, row, model.maxLength), at),
        truth: truthOf(row),
      });
    },
    answerer({ labels }) {
      const truthOf = truths(labels);
      return (row) => ({ truth: truthOf(row) });
    },
  }),
  head: linearHead,
  checkOutput: (spec, name, info, labels) =>
    checkOutput(spec, name, info, { axes: ['batch'], outputs: labels.length }),
  expected: (examples) => ({
    dtype: DType.float,
    dims: [examples.length, examples[0].truth.length],
    data: Float32Array.from(examples.flatMap((e) => [...e.truth])),
  }),
  weight: ({ truth }) => truth.length,
  scorer({ labels }) {
    const scores = new MultiLabelScores(labels.length);
    return {
      add: ({ truth }, logits) => scores.add(truth, logits),
      metrics: () => ({
        ...withAbsent(scores.absentLabels(labels)),
        microF1: scores.microF1(),
        macroF1: scores.macroF1(),
        meanAveragePrecision: scores.meanAveragePrecision(),
        examples: scores.examples,
      }),
    };
  },
  baseline({ train, validation, labels }) {
    // A label that most texts have is given to all.
    const { counts } = labelUse(train.dataset.examples, labels);
    const frequent = counts.map((n) => n > train.dataset.examples.length / 2);
    const always = frequent.map((is) => (is ? 1 : -1));
    const scores = new MultiLabelScores(labels.length);
    for (const { truth } of answeredOf(validation.dataset.examples)) scores.add(truth, always);
    const given = labels.filter((_, l) => frequent[l]).map((label) => `"${label}"`);
    return {
      answer: given.length === 0 ? 'never any label' : `always ${given.join(' and ')}`,
      metric: 'microF1',
      value: scores.microF1(),
    };
  },
  guessLoss: () => Math.log(2),
  facts(examples, { labels }) {
    const { counts, unlabeled } = labelUse(examples, labels);
    return { labels: Object.fromEntries(labels.map((label, l) => [label, counts[l]])), unlabeled };
  },
  findings: (_, data) => [...misspelledLabels(data), ...unmeasuredLabels(data)],
  predictions: labelSetPredictions,
  ask(texts, { tokenizer, labels }, maxLength) {
    const truth = new Uint8Array(labels.length);
    const example = { ...textExample(encodeRow(tokenizer, texts, maxLength), 0), truth };
    requireTokens(example);
    return { example, answer: (logits) => ({ probabilities: Array.from(logits, sigmoid) }) };
  },
} satisfies TextKind<LabelSetText>;

/** The number of examples with each label, and with none. */
function labelUse(examples: Examples<LabelSetText>, labels: readonly string[]) {
  const counts = labels.map(() => 0);
  let unlabeled = 0;
  for (const { truth } of answeredOf(examples)) {
    truth.forEach((is, l) => (counts[l] += is));
    if (!truth.includes(1)) unlabeled++;
  }
  return { counts, unlabeled };
}

function* allLabels(rows: Iterable<LabelSetRow>): Iterable<string> {
  for (const { labels } of rows) yield* labels;
}

/** For each label of the outputs, 1 if a row has it and otherwise 0. */
function truths(labels: readonly string[]): (row: LabelSetRow) => Uint8Array {
  const index = labelIndex(labels);
  return (row) => {
    const truth = new Uint8Array(labels.length);
    for (const label of row.labels) truth[index.get(label)!] = 1;
    return truth;
  };
}
