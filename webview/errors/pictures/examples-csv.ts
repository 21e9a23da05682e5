import { examplesCsv } from '../examples-csv';
import type { PictureModel } from '../model';

export const pictureCsv = (model: PictureModel, examples: readonly number[]): string => {
  const { columns: c } = model;
  return examplesCsv(model, examples, ['timestep', 'loss'], (i) => [c.timestep[i], c.loss[i]]);
};
