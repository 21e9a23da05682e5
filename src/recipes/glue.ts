import type { Recipe } from '../experiment/paper';
import { GLUE } from './data-sets';
import { PAPER } from './paper';

/** Epochs, learning rate, length and batch size by data set; the classifier is trained along with the adapters. */
type Row = [epochs: number, learningRate: number, maxLength: number, batchSize: number];

const BASE: Record<string, Row> = {
  'sst-2': [30, 8e-4, 512, 32],
  mrpc: [30, 8e-4, 512, 64],
  cola: [90, 5e-3, 512, 32],
  qnli: [80, 5e-3, 512, 32],
  rte: [80, 5e-4, 512, 16],
  'sts-b': [30, 6e-4, 512, 64],
};

const LARGE: Record<string, Row> = {
  'sst-2': [40, 8e-4, 128, 16],
  mrpc: [30, 1e-3, 512, 16],
  cola: [50, 5e-4, 256, 16],
  qnli: [20, 4e-4, 512, 16],
  rte: [10, 4e-4, 512, 32],
  'sts-b': [20, 3e-4, 512, 16],
};

const recipes = (model: string, rows: Record<string, Row>): Recipe[] =>
  GLUE.map((dataSet) => {
    const [epochs, learningRate, maxLength, batchSize] = rows[dataSet.id];
    return {
      id: `${model}/${dataSet.id}`,
      model,
      name: dataSet.name,
      dataSets: [dataSet],
      settings: { maxLength, epochs, batchSize, learningRate, schedule: 'linear', warmupRatio: 0.06 },
      unsaid: ['weight decay', 'a separate learning rate for the classifier', ...PAPER.unsaid],
    };
  });

export const GLUE_RECIPES = [...recipes('roberta-base', BASE), ...recipes('roberta-large', LARGE)];
