import type { Recipe } from '../experiment/paper';
import { IMAGES } from './data-sets';
import { PAPER } from './paper';

/** Learning rates of the adapters and of the head. */
type Rates = [adapters: number, head: number];

const BASE: Record<string, Rates> = {
  'oxford-pets': [5e-3, 5e-3],
  'stanford-cars': [1e-2, 1e-2],
  'cifar-10': [1e-2, 3e-2],
  dtd: [1e-2, 8e-3],
  eurosat: [5e-3, 8e-3],
  'fgvc-aircraft': [1e-2, 1e-2],
  resisc45: [8e-3, 1e-2],
  'cifar-100': [8e-3, 5e-3],
};

const LARGE: Record<string, Rates> = {
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

const recipes = (model: string, rates: Record<string, Rates>): Recipe[] =>
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

export const IMAGE_RECIPES = [...recipes('vit-base', BASE), ...recipes('vit-large', LARGE)];
