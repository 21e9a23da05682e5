import type { PaperVariants } from '../experiment/paper';

const row = (name: string, ...values: string[]) => ({ name, values });

const ABLATION: PaperVariants = {
  title: 'Ablation: accuracy without a part of σ',
  columns: ['OxfordPets', 'CIFAR-10', 'DTD', 'EuroSAT'],
  rows: [
    row('AuroRA', '93.9', '98.8', '79.6', '98.8'),
    row('without F, the fixed part', '93.3', '98.4', '78.9', '98.3'),
    row('without L, the spline', '93.1', '98.2', '77.8', '98.0'),
  ],
};

const ACTIVATION: PaperVariants = {
  title: 'Accuracy by the activation in F',
  columns: ['StanfordCars', 'FGVC-Aircraft'],
  rows: [row('tanh', '75.7', '48.2'), row('LeakyReLU', '75.6', '47.8'), row('sigmoid', '75.2', '47.7')],
};

/** The paper uses the last: trained dynamic, merged static. Traps of merging are in docs/studies/merge-gap.md. */
const FORMS: PaperVariants = {
  title: 'Average and time by the form of σ',
  columns: ['average', 'total time'],
  rows: [
    row('LoRA', '80.8', '15.05 h'),
    row('static in training and inference', '82.8', '15.18 h'),
    row('dynamic in training and inference', '83.8', '15.60 h'),
    row('dynamic in training, static in inference', '83.6', '15.28 h'),
  ],
};

export const VARIANTS: Record<string, readonly PaperVariants[] | undefined> = {
  'vit-base': [ABLATION, ACTIVATION],
  'llama3-8b': [FORMS],
};
