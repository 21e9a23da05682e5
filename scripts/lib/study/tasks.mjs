import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { say } from '../console.mjs';
import { releaseName } from '../debian-index.mjs';
import { ROOT } from '../run.mjs';
import { RECIPE } from './first.mjs';
import { writeTaskData } from './task-data.mjs';

const FOLDER = join(ROOT, '.cache/study-tasks-data');

const files = (name) =>
  ['train', 'validation'].map((split) => `data.${split}=${FOLDER}/${name}-${split}.jsonl`);

const percent = (name) => [name, (m) => 100 * m[name], 1];
/** Each with its experiment in demo/, changed settings, and metrics: a name, a value, decimals. */
export const TASKS = {
  'Image classification': {
    experiment: 'fashion',
    set: ['training.epochs=2'],
    metrics: { 'accuracy, %': percent('accuracy'), 'macro F1, %': percent('macroF1') },
  },
  Regression: {
    set: [...RECIPE, ...files('size'), 'task.type=text-regression', 'data.labelColumn=size'],
    metrics: {
      Pearson: ['pearson', (m) => m.pearson, 3],
      Spearman: ['spearman', (m) => m.spearman, 3],
      RMSE: ['rmse', (m) => m.rmse, 3],
    },
  },
  'Several labels': {
    set: [...RECIPE, ...files('tags'), 'task.type=multi-label-classification', 'data.labelColumn=tags'],
    metrics: {
      'micro F1, %': percent('microF1'),
      'macro F1, %': percent('macroF1'),
      'mean average precision, %': percent('meanAveragePrecision'),
    },
  },
  'Pairs of texts': {
    set: [
      ...RECIPE,
      ...files('pairs'),
      'data.textColumn=summary',
      'data.textPairColumn=description',
      'data.labelColumn=match',
    ],
    metrics: { 'accuracy, %': percent('accuracy'), 'MCC × 100': ['matthews', (m) => 100 * m.matthews, 1] },
  },
  'Causal language modeling': {
    experiment: 'debian-summaries',
    set: ['training.epochs=1'],
    metrics: {
      perplexity: ['perplexity', (m) => m.perplexity, 1],
      'token accuracy, %': percent('tokenAccuracy'),
    },
  },
};

/** Made once, so that all runs have the same data. */
export function taskData() {
  const note = join(FOLDER, 'made.json');
  if (!existsSync(note)) {
    say('Writing data from the package index …');
    const counts = Object.entries(writeTaskData(FOLDER)).map(
      ([name, { train, validation }]) => `${name}: ${train} to train, ${validation} for validation`,
    );
    writeFileSync(note, JSON.stringify({ release: releaseName(), rows: `${counts.join('; ')}.` }));
  }
  return JSON.parse(readFileSync(note, 'utf8'));
}

/** On the layers that the experiment adapts. One step at a rate of 0 leaves the language model untrained. */
export function taskMethods(experiment) {
  const adapter = (method, rank) => [
    `adapter.method=${method}`,
    `adapter.rank=${rank}`,
    `adapter.alpha=${2 * rank}`,
  ];
  const without =
    experiment === 'debian-summaries'
      ? { untrained: [...adapter('lora', 2), 'training.maxSteps=1', 'training.warmupRatio=1'] }
      : { 'head only': ['adapter={"method":"none"}'] };
  return {
    ...without,
    'LoRA r=2': adapter('lora', 2),
    'AuroRA r=2': adapter('aurora', 2),
    'LoRA r=8': adapter('lora', 8),
  };
}
