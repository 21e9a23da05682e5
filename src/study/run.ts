import type { EvaluationMetrics } from '../protocol/events';
import type { Experiment } from '../experiment/experiment';
import type { Geometry } from './geometry';

/** What a study knows of a finished run: its settings, and what its folder says they came to. */
export interface StudyRun {
  folder: string;
  /** As people call it. */
  name: string;
  spec: Experiment;
  /** The last one, not the best evaluation's; `chosenBy` says whether the validation set decided that it is the last. */
  step: number;
  /** What was chosen in this run on the set that it is judged on. */
  chosenBy: ChosenBy[];
  metrics: EvaluationMetrics;
  /** Trained numbers of the adapters, without the head. */
  parameters: number;
  /** Median of the steps, and this process's high-water mark in bytes. */
  stepSeconds?: number;
  memory?: number;
  /** Where it was computed, in words: runs of different places do not compare in time. */
  place?: string;
  /** Both forms at the last step, where they were measured or are the same by nature. */
  forms?: Forms;
  geometry?: Geometry;
  /** SHA-256 of the files that its last step was trained on, by their paths; null for none. */
  trainedOn?: Readonly<Record<string, string | null>>;
  /** Somebody continued it with changed files. */
  changedWithin?: boolean;
  /** Paths of files that are no longer what it was trained on. */
  changedSince?: readonly string[];
  /** Of each validation example at the last step, where predictions are kept. */
  examples?: ExampleOutcomes;
}

/**
 * `early-stopping`: the last step, where validation no longer improved. `halving`: the run itself, which a sweep compared
 * with others and trained to its end.
 */
export type ChosenBy = 'early-stopping' | 'halving';

/** The adapter in the form that was trained last, and merged into the weights. */
export interface Forms {
  trained: EvaluationMetrics;
  merged: EvaluationMetrics;
  /** They are one function: a linear method, or the static form was trained. */
  same: boolean;
}

export interface ExampleOutcomes {
  /** SHA-256 of the validation file. */
  data: string;
  /** 1 where the prediction is right. */
  correct: Uint8Array;
  loss: Float64Array;
}

/** A run that is not counted. */
export interface UnfitRun {
  folder: string;
  name: string;
  unfit: Unfit;
  /** Of one that diverged: the group that it would be in counts it. */
  spec?: Experiment;
}

/**
 * Unfinished, diverged, damaged, a fork (its first steps had other settings), an import (not trained by its settings), or a
 * run with the settings and the seed of another.
 */
export type Unfit = 'unfinished' | 'diverged' | 'damaged' | 'fork' | 'import' | 'repeated';
