import type { EvaluationMetrics } from '../events';
import type { Experiment } from '../experiment';
import type { Geometry } from './geometry';

/** What a study knows of a finished run: its settings, and what its folder says they came to. */
export interface StudyRun {
  folder: string;
  /** As people call it. */
  name: string;
  spec: Experiment;
  /** Of the last step, so that nothing is chosen on the set it is measured on. */
  step: number;
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
  /** Of each validation example at the last step, where predictions are kept. */
  examples?: ExampleOutcomes;
}

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
