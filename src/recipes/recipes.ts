import type { Recipe } from '../experiment/paper';
import { COMMONSENSE } from './data-sets';
import { GLUE_RECIPES } from './glue';
import { IMAGE_RECIPES } from './images';
import { PAPER } from './paper';

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
