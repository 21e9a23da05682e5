import type { PaperDataSet } from '../experiment/paper';

/** Applies to all of the paper's runs. Cites the paper as a whole, since its table numbers are not known here. */
export const PAPER = {
  /** Dong, Zhu, Song, Wang: "AuroRA: Breaking Low-Rank Bottleneck of LoRA with Nonlinear Mapping", NeurIPS 2025. */
  source: 'arXiv 2505.18738',
  rank: 2,
  alpha: 4,
  /** Shown with every result. */
  baselines:
    'Most of the paper’s baselines are quoted from earlier papers, which trained with other recipes.',
  fairness:
    'For a fair comparison, retrain LoRA with the same settings, at the same rank and at the same number of parameters.',
  /** For every run. */
  unsaid: ['seeds', 'AdamW’s betas and epsilon', 'gradient clipping', 'the spline’s initial weights'],
} as const;

/**
 * We count the paper's 22 data sets as 6 of GLUE, 8 of commonsense reasoning and 8 of images. This leaves out
 * Commonsense170K, the joint training set of the 8 commonsense ones, and DreamBooth, which has pictures but no scores.
 */
const accuracy = (id: string, name: string): PaperDataSet => ({ id, name, metric: 'accuracy' });

export const GLUE: readonly PaperDataSet[] = [
  accuracy('sst-2', 'SST-2'),
  accuracy('mrpc', 'MRPC'),
  { id: 'cola', name: 'CoLA', metric: 'matthews' },
  accuracy('qnli', 'QNLI'),
  accuracy('rte', 'RTE'),
  { id: 'sts-b', name: 'STS-B', metric: 'pearson' },
];

export const COMMONSENSE: readonly PaperDataSet[] = [
  accuracy('boolq', 'BoolQ'),
  accuracy('piqa', 'PIQA'),
  accuracy('siqa', 'SIQA'),
  accuracy('hellaswag', 'HellaSwag'),
  accuracy('winogrande', 'WinoGrande'),
  accuracy('arc-e', 'ARC-e'),
  accuracy('arc-c', 'ARC-c'),
  accuracy('obqa', 'OBQA'),
];

export const IMAGES: readonly PaperDataSet[] = [
  accuracy('oxford-pets', 'OxfordPets'),
  accuracy('stanford-cars', 'StanfordCars'),
  accuracy('cifar-10', 'CIFAR-10'),
  accuracy('dtd', 'DTD'),
  accuracy('eurosat', 'EuroSAT'),
  accuracy('fgvc-aircraft', 'FGVC-Aircraft'),
  accuracy('resisc45', 'RESISC45'),
  accuracy('cifar-100', 'CIFAR-100'),
];
