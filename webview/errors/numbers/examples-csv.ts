import { examplesCsv } from '../examples-csv';
import type { NumberModel } from '../model';

export const numberCsv = (model: NumberModel, examples: readonly number[]): string => {
  const { columns: c, errors } = model;
  return examplesCsv(model, examples, ['true', 'predicted', 'error', 'loss'], (i) => [
    c.value[i],
    c.predicted[i],
    errors[i],
    c.loss[i],
  ]);
};
