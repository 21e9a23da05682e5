import type { DeviceEvent } from './events';
import type { AdapterSpec } from '../experiment/experiment';
import type { LeftOut } from './left-out';

/**
 * What `aurora preflight --json` prints: one JSON object a line, each as soon as it is known, in the order
 * modules, data, measuring (where several devices are), device, step …, estimate; a problem may come anywhere.
 * Readers pass over kinds they do not know.
 */
export type PreflightLine =
  | PreflightModules
  | PreflightData
  | PreflightMeasuring
  | PreflightDevice
  | PreflightStep
  | PreflightEstimate
  | PreflightProblem;

export interface PreflightModules {
  kind: 'modules';
  method: AdapterSpec['method'];
  modules: PreflightModule[];
  /** Entries of adapter.targetModules that matched no layer. */
  unmatched: string[];
  /** Layers that "all-linear" passed over. */
  leftOut: LeftOut[];
  /** Linear layers of the model, adapted or not. */
  linearLayers: number;
  /** Trainable numbers of all adapters; the head's are in the data line, since they depend on the labels. */
  adapterParameters: number;
  /** Numbers in the model's weights. */
  modelParameters: number;
}

export interface PreflightModule {
  path: string;
  inFeatures: number;
  outFeatures: number;
  /** Of methods that have one. */
  rank?: number;
  /** Trainable numbers of its adapter. */
  parameters: number;
}

export interface PreflightData {
  kind: 'data';
  train: PreflightSplit;
  validation: PreflightSplit;
  /** In the order of the model's outputs. */
  labels: string[];
  duplicates: PreflightDuplicates;
}

export interface PreflightSplit {
  /** The file; both splits have the same one where validation is a share of the training file. */
  path: string;
  /** Usable texts. */
  examples: number;
  /** Texts of each label, every label of the training data included. */
  labels: Record<string, number>;
  /** Tokens a text, special tokens included, after cutting to model.maxLength. */
  tokens: { min: number; median: number; mean: number; p90: number; p99: number; max: number };
  /** Texts that are longer than model.maxLength and are cut. */
  truncated: number;
  /** Rows that cannot be used, their number and the first few. */
  badRows: { count: number; first: { line: number; reason: string }[] };
}

/** Equal texts, white space aside. Lines are those of the data files, from 1. */
export interface PreflightDuplicates {
  /** Validation texts that are also trained on, and the first few pairs. */
  acrossSplits: { count: number; first: { train: number; validation: number }[] };
  /** Training rows whose text came before in the training data. */
  withinTrain: number;
  /** Training texts that have more than one label, and the first few pairs. */
  conflicts: { count: number; first: { lines: [number, number]; labels: [string, string] }[] };
}

/** The devices between which real steps decide. */
export interface PreflightMeasuring {
  kind: 'measuring';
  places: { engine: string; device: string }[];
}

/** Where all that follows is measured, and why there. */
export interface PreflightDevice extends Omit<DeviceEvent, 'kind' | 'step'> {
  kind: 'device';
}

/** One real training step. */
export interface PreflightStep {
  kind: 'step';
  /** From 1; 0 is the warm-up, which takes the longest texts of the training data and counts for memory only. */
  step: number;
  /** Measured steps to come in all, the warm-up aside. */
  of: number;
  loss: number;
  seconds: number;
  examples: number;
  /** Real tokens, padding left out. */
  tokens: number;
  /** Resident memory of the process after the step. */
  memoryBytes: number;
}

export interface PreflightEstimate {
  kind: 'estimate';
  /** Median of the measured steps. */
  secondsPerStep: number;
  /** Optimizer steps of the whole run, and evaluations among them. */
  steps: number;
  evaluations: number;
  /** The whole run with preparation, evaluations and snapshots, from the measured time for each padded token. */
  minutes: number;
  /** The part of `minutes` that is not training steps: preparation, evaluations, snapshots. */
  otherMinutes: number;
  /** The process's high-water mark; the longest batch is among what was run. */
  memoryBytes: number;
  /** Where a batch is run in parts: how many texts of the longest batch at once, of how many, and their length. */
  microBatch?: { examples: number; of: number; length: number };
  /** All trainable numbers: adapters and head. */
  trainable: number;
}

export interface PreflightProblem {
  kind: 'problem';
  /** `error`: training would stop here. */
  severity: 'error' | 'warning';
  message: string;
  hint?: string;
  /** The setting to change, dotted, as in training.learningRate. */
  key?: string;
}
