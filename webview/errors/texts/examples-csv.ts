import { examplesCsv } from '../examples-csv';
import type { TextModel } from '../model';

export const textCsv = (model: TextModel, examples: readonly number[]): string => {
  const { columns: c } = model;
  return examplesCsv(model, examples, ['loss', 'predicted_tokens', 'right_tokens'], (i) => [
    c.loss[i],
    c.answered[i],
    c.right[i],
  ]);
};
