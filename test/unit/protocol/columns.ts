import { newColumns, type Columns, type Predictions } from '../../../src/protocol/predictions';

/** The relevant part of a validation example; the rest follows from its probabilities. */
export interface Example {
  label: number;
  /** For each label; they sum to 1. */
  shares: readonly number[];
  tokens?: number;
  cut?: boolean;
}

export function columns(examples: readonly Example[]): Columns {
  const made = newColumns(examples.length);
  examples.forEach(({ label, shares, tokens = 8, cut = false }, i) => {
    const [first, second] = [...shares].sort((a, b) => b - a);
    made.line[i] = i + 1;
    made.label[i] = label;
    made.predicted[i] = shares.indexOf(first);
    made.probability[i] = first;
    made.truth[i] = shares[label];
    made.loss[i] = -Math.log(shares[label]);
    made.margin[i] = first - second;
    made.tokens[i] = tokens;
    made.cut[i] = Number(cut);
  });
  return made;
}

export const predictions = (examples: readonly Example[], more: Partial<Predictions> = {}): Predictions => ({
  step: 120,
  form: 'dynamic',
  labels: (examples[0]?.shares ?? [1]).map((_, i) => `label ${i}`),
  data: { file: '/data/validation.jsonl', sha256: 'ab' },
  metrics: { loss: 0.5, accuracy: 0.75, f1: 0.7, matthews: 0.5, examples: examples.length },
  columns: columns(examples),
  excerpts: [],
  ...more,
});
