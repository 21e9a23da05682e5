import type { DeviceEvent } from './events';
import type { AdapterSpec } from '../experiment/methods';
import type { LeftOut } from './left-out';
import type { Reading } from './preparing';
import type { FilePart } from './row-place';

/**
 * The output of `aurora preflight --json`: one JSON object per line, each as soon as it is known, in the order modules,
 * reading … (of large files), data, measuring (if there are several devices), device, step …, estimate; a problem may come
 * anywhere. Readers ignore unknown kinds.
 */
export type PreflightLine =
  | PreflightReading
  | PreflightModules
  | PreflightData
  | PreflightMeasuring
  | PreflightDevice
  | PreflightStep
  | PreflightEstimate
  | PreflightProblem;

/** While a large file is read, which takes a while the first time: a line for each percent. */
export interface PreflightReading extends Reading {
  kind: 'reading';
}

export interface PreflightModules {
  kind: 'modules';
  method: AdapterSpec['method'];
  modules: PreflightModule[];
  /** Entries of adapter.targetModules that matched no layer. */
  unmatched: string[];
  /** Layers that "all-linear" skipped. */
  leftOut: LeftOut[];
  /** Linear layers of the model, adapted or not. */
  linearLayers: number;
  /** Trainable parameters of all adapters; the head's are in the data line, since they depend on the labels. */
  adapterParameters: number;
  /** Parameters of the model. */
  modelParameters: number;
}

export interface PreflightModule {
  path: string;
  inFeatures: number;
  outFeatures: number;
  /** Only for methods with a rank. */
  rank?: number;
  /** Trainable parameters of its adapter. */
  parameters: number;
}

export interface PreflightData {
  kind: 'data';
  train: PreflightSplit;
  validation: PreflightSplit;
  /** In the order of the model's outputs. */
  labels: string[];
  /** The training examples are also those for validation, with other noise. */
  measuresTraining?: true;
  duplicates: PreflightDuplicates;
  /** Only with training.packing. */
  packing?: PreflightPacking;
  /** data.test and data.evaluations, if there are any. */
  sets?: PreflightSet[];
}

/** The rows that the training texts are packed into. Shares are of the positions of an epoch's batches. */
export interface PreflightPacking {
  rows: number;
  /** The number of them that are padding. */
  padding: number;
  /** The number that would be padding without packing. */
  paddingApart: number;
}

/** A file that the best adapter is scored on at the end. */
export interface PreflightSet extends PreflightSplit {
  /** The name in data.evaluations; left out for data.test. */
  name?: string;
  /** The setting that names the file, dotted. */
  key: string;
  /** Texts of the set that are also in the training or validation data, and the first few pairs of lines. */
  inTrain: PreflightShared;
  inValidation: PreflightShared;
}

export interface PreflightShared {
  count: number;
  /** Lines, from 1: in the set, and in the other data. */
  first: { line: number; other: number }[];
}

export interface PreflightSplit {
  /** The file, or a pattern; the same for both splits if validation is a share of the training file. */
  path: string;
  /** The files that a pattern stands for: numbers of rows are counted on from file to file. */
  parts?: FilePart[];
  /** Usable texts. */
  examples: number;
  /** Texts, or words, per label, including every label of the training data. */
  labels: Record<string, number>;
  /** Texts without a label, for a task with several labels for each text. */
  unlabeled?: number;
  /** Instead of labels, for a task that predicts numbers. */
  numbers?: NumberFacts;
  /** Instead of labels, for a language model: the tokens that are to be predicted. */
  targets?: number;
  /** For a language model: rows that are unusable because none of their tokens is to be predicted. */
  withoutTargets?: number;
  /** Instead of labels, for a task on pictures: images, class images, and the timesteps at which each is measured. */
  pictures?: { images: number; classImages: number; timesteps: number };
  /** Tokens per text, including special tokens, after truncation to model.maxLength. */
  tokens: { min: number; median: number; mean: number; p90: number; p99: number; max: number };
  /** Texts that are longer than model.maxLength and are truncated. */
  truncated: number;
  /** Unusable rows: their number and the first few. */
  badRows: { count: number; first: { line: number; reason: string }[] };
  /** The treatment of a TSV file's quotes, if it has some and data.quoting leaves it to the file. */
  quotes?: 'csv' | 'text';
}

/** The distribution of the numbers of a split; the deviation is that of the population. */
export interface NumberFacts {
  min: number;
  median: number;
  max: number;
  mean: number;
  deviation: number;
}

/** The denominator for shares of labels: the words or texts that have one, or all texts if they may have several. */
export const labeled = ({ labels, unlabeled, examples }: PreflightSplit): number =>
  unlabeled === undefined ? Object.values(labels).reduce((sum, n) => sum + n, 0) : examples;

/** Identical texts, ignoring white space. Lines refer to the data files, one-based. */
export interface PreflightDuplicates {
  /** Validation texts that are also in the training data, and the first few pairs. */
  acrossSplits: { count: number; first: { train: number; validation: number }[] };
  /** Training rows whose text occurred before in the training data. */
  withinTrain: number;
  /** Training texts with more than one label, and the first few pairs. */
  conflicts: { count: number; first: { lines: [number, number]; labels: [string, string] }[] };
}

/** The devices compared by running real steps. */
export interface PreflightMeasuring {
  kind: 'measuring';
  places: { engine: string; device: string }[];
}

/** The device for all following measurements, and why. */
export interface PreflightDevice extends Omit<DeviceEvent, 'kind' | 'step'> {
  kind: 'device';
}

/** A real training step. */
export interface PreflightStep {
  kind: 'step';
  /**
   * The number of the step, from 1; 0 is the warm-up, which uses the longest texts of the training data and counts for
   * memory only.
   */
  step: number;
  /** Total number of measured steps, excluding the warm-up. */
  of: number;
  loss: number;
  seconds: number;
  examples: number;
  /** Real tokens, excluding padding. */
  tokens: number;
  /** Resident memory of the process after the step. */
  memoryBytes: number;
}

export interface PreflightEstimate {
  kind: 'estimate';
  /** Median of the measured steps. */
  secondsPerStep: number;
  /** Optimizer steps of the whole run, and the number of evaluations. */
  steps: number;
  evaluations: number;
  /** The whole run with preparation, evaluations, snapshots and the scores at its end, from the measured time per padded token. */
  minutes: number;
  /** The part of `minutes` outside training steps. */
  otherMinutes: number;
  /** The process's peak memory; the longest batch was among those run. */
  memoryBytes: number;
  /** If evaluations write answers: their number in all of them, the most tokens of one, and the part of `minutes` for them. */
  writing?: { answers: number; tokens: number; minutes: number };
  /** If a batch is split: how many texts of the longest batch run at once, out of how many, and their length. */
  microBatch?: { examples: number; of: number; length: number };
  /** All trainable parameters: adapters and head. */
  trainable: number;
}

export interface PreflightProblem {
  kind: 'problem';
  /** `error`: training would stop here. `note`: an effect of the settings that was probably intended. */
  severity: 'error' | 'warning' | 'note';
  message: string;
  hint?: string;
  /** The setting to change, dotted, as in training.learningRate. */
  key?: string;
  /** The first rows that show it, one-based. */
  places?: { file: string; row: number }[];
  /** Settings that would solve it. */
  fixes?: { key: string; value: string | number | boolean }[];
}
