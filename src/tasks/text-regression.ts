import { AuroraError } from '../base/errors';
import { answeredOf, encodeRow, textExample, type Examples } from '../data/dataset';
import { numberFacts } from '../data/audit';
import { requirePublished, UNPUBLISHED } from '../data/labels';
import { numberRows } from '../data/table/answer-rows';
import { DType } from '../graph/dtype';
import { requireTokens } from './text/shown-text';
import { checkOutput } from './check-output';
import { linearHead } from './head';
import { pearson, spearman, rootMeanSquaredError } from '../experiment/scores/regression';
import { numberPredictions, numberOf, targetOf, UNSCALED, type NumberedText } from './answers';
import { readsTexts, type TextKind } from './text/text-data';

/**
 * A number for each text or pair of texts: a linear head on pooled states, or the model's own output; squared error on
 * scaled numbers, so that the learning rate does not depend on their unit.
 */
export const textRegression = {
  objective: 'mse',
  ...readsTexts({
    format: numberRows,
    labels: (path, rows, { data }) => {
      const { min, max } = numberFacts(Float64Array.from(rows, (r) => r.value));
      if (min === max)
        throw new AuroraError(
          'labels',
          `${path}: every row has the number ${min}, so there is nothing to learn.`,
          'Check data.labelColumn.',
        );
      return [data.labelColumn!];
    },
    scale(rows, { task }) {
      if (task.head === 'none' || task.headWeights === 'model') return UNSCALED;
      const { mean, deviation } = numberFacts(Float64Array.from(rows, (r) => r.value));
      return { mean, deviation: deviation || 1 };
    },
    known(path, read) {
      requirePublished(path, read.rows, ({ value }) => value === UNPUBLISHED);
      return read;
    },
    stratum: () => '',
    encoder:
      (tokenizer, outputs, { model }) =>
      (row, index): NumberedText => ({
        ...textExample(encodeRow(tokenizer, row, model.maxLength), index),
        value: row.value,
        target: targetOf(row.value, outputs),
      }),
    answerer: (outputs) => (row) => ({ value: row.value, target: targetOf(row.value, outputs) }),
  }),
  head: linearHead,
  checkOutput: (spec, name, info) => checkOutput(spec, name, info, { axes: ['batch'], outputs: 1 }),
  expected: (examples) => ({
    dtype: DType.float,
    dims: [examples.length],
    data: Float32Array.from(examples, (e) => e.target),
  }),
  weight: () => 1,
  scorer(outputs) {
    const [values, predicted]: number[][] = [[], []];
    return {
      add({ value }, [output]) {
        values.push(value);
        predicted.push(numberOf(output, outputs));
      },
      metrics: () => ({
        pearson: pearson(values, predicted),
        spearman: spearman(values, predicted),
        rmse: rootMeanSquaredError(values, predicted),
        examples: values.length,
      }),
    };
  },
  baseline({ train, validation }) {
    const { mean } = numberFacts(valuesOf(train.dataset.examples));
    const values = [...valuesOf(validation.dataset.examples)];
    const value = rootMeanSquaredError(
      values,
      values.map(() => mean),
    );
    return { answer: `always ${Number(mean.toPrecision(4))}`, metric: 'rmse', value };
  },
  // Always the mean of the training numbers, whose variance is 1.
  guessLoss: () => 1,
  facts: (examples) => ({ labels: {}, numbers: numberFacts(valuesOf(examples)) }),
  findings: () => [],
  predictions: numberPredictions,
  ask(texts, data, maxLength) {
    const { tokenizer } = data;
    const example = { ...textExample(encodeRow(tokenizer, texts, maxLength), 0), value: 0, target: 0 };
    requireTokens(example);
    return { example, answer: ([output]) => ({ number: numberOf(output, data) }) };
  },
} satisfies TextKind<NumberedText>;

const valuesOf = (examples: Examples<NumberedText>): Float64Array =>
  Float64Array.from(answeredOf(examples), (e) => e.value);
