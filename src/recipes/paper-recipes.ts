import type { Recipe } from '../experiment/paper';
import { COMMONSENSE, GLUE, IMAGES, PAPER } from './paper-data';

/** Epochs, learning rate, length and batch size by data set; the classifier is trained along with the adapters. */
type Row = [epochs: number, learningRate: number, maxLength: number, batchSize: number];

const GLUE_BASE: Record<string, Row> = {
  'sst-2': [30, 8e-4, 512, 32],
  mrpc: [30, 8e-4, 512, 64],
  cola: [90, 5e-3, 512, 32],
  qnli: [80, 5e-3, 512, 32],
  rte: [80, 5e-4, 512, 16],
  'sts-b': [30, 6e-4, 512, 64],
};

const GLUE_LARGE: Record<string, Row> = {
  'sst-2': [40, 8e-4, 128, 16],
  mrpc: [30, 1e-3, 512, 16],
  cola: [50, 5e-4, 256, 16],
  qnli: [20, 4e-4, 512, 16],
  rte: [10, 4e-4, 512, 32],
  'sts-b': [20, 3e-4, 512, 16],
};

const glueRecipes = (model: string, rows: Record<string, Row>): Recipe[] =>
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

const GLUE_RECIPES = [...glueRecipes('roberta-base', GLUE_BASE), ...glueRecipes('roberta-large', GLUE_LARGE)];

/** Learning rates of the adapters and of the head. */
type Rates = [adapters: number, head: number];

const IMAGES_BASE: Record<string, Rates> = {
  'oxford-pets': [5e-3, 5e-3],
  'stanford-cars': [1e-2, 1e-2],
  'cifar-10': [1e-2, 3e-2],
  dtd: [1e-2, 8e-3],
  eurosat: [5e-3, 8e-3],
  'fgvc-aircraft': [1e-2, 1e-2],
  resisc45: [8e-3, 1e-2],
  'cifar-100': [8e-3, 5e-3],
};

const IMAGES_LARGE: Record<string, Rates> = {
  'oxford-pets': [5e-3, 4e-3],
  'stanford-cars': [9e-3, 8e-3],
  'cifar-10': [8e-3, 4e-2],
  dtd: [8e-3, 9e-3],
  eurosat: [4e-3, 8e-3],
  'fgvc-aircraft': [1.5e-2, 1e-2],
  resisc45: [7.5e-3, 1.5e-2],
  'cifar-100': [1.5e-2, 5e-3],
};

/** The values of one row in the paper, taken as valid for both models and for adapters and head alike. */
const WEIGHT_DECAY: Record<string, number> = {
  'oxford-pets': 8e-4,
  'stanford-cars': 4e-5,
  'cifar-10': 9e-5,
  dtd: 7e-5,
  eurosat: 3e-4,
  'fgvc-aircraft': 7e-5,
  resisc45: 3e-4,
  'cifar-100': 1e-4,
};

const imageRecipes = (model: string, rates: Record<string, Rates>): Recipe[] =>
  IMAGES.map((dataSet) => {
    const [learningRate, headLearningRate] = rates[dataSet.id];
    const weightDecay = WEIGHT_DECAY[dataSet.id];
    return {
      id: `${model}/${dataSet.id}`,
      model,
      name: dataSet.name,
      dataSets: [dataSet],
      settings: { epochs: 10, learningRate, headLearningRate, schedule: 'linear', weightDecay },
      unsaid: ['batch size', 'warm-up', ...PAPER.unsaid],
    };
  });

const IMAGE_RECIPES = [...imageRecipes('vit-base', IMAGES_BASE), ...imageRecipes('vit-large', IMAGES_LARGE)];

const COMMONSENSE_170K: Recipe = {
  id: 'llama3-8b/commonsense170k',
  model: 'llama3-8b',
  name: 'Commonsense170K',
  dataSets: COMMONSENSE,
  settings: { epochs: 3, batchSize: 16, learningRate: 3e-4, warmupSteps: 100, dropout: 0.05 },
  unsaid: ['maximum length', 'schedule after the warm-up', 'weight decay', ...PAPER.unsaid],
};

const DREAMBOOTH: Recipe = {
  id: 'sdxl/dreambooth',
  model: 'sdxl',
  name: 'DreamBooth',
  dataSets: [],
  settings: {},
  unsaid: ['every hyperparameter except rank and alpha', 'the adapted layers', ...PAPER.unsaid],
};

/** Everything that the paper trains, by model and in the order of its data sets. AdamW, rank 2, alpha 4 everywhere. */
export const PAPER_RECIPES: readonly Recipe[] = [
  ...GLUE_RECIPES,
  ...IMAGE_RECIPES,
  COMMONSENSE_170K,
  DREAMBOOTH,
];
