import type { Experiment } from '../experiment/experiment';
import type { MetricName } from '../experiment/metrics';
import { isMetrics } from '../protocol/evaluations';
import type { EvaluationMetrics } from '../protocol/events';
import type { Share } from '../protocol/nonlinearity';
import type { Geometry } from './geometry';

/** A finished run in a study: its settings, and the results in its folder. */
export interface StudyRun {
  folder: string;
  /** Its display name. */
  name: string;
  spec: Experiment;
  /**
   * The last step, not the best evaluation's; `chosenBy` shows if the validation set determined that it is the last.
   */
  step: number;
  /** The choices made in this run on the set that it is evaluated on. */
  chosenBy: ChosenBy[];
  metrics: EvaluationMetrics;
  /** The best adapter's score on data.test. */
  test?: StudyScore;
  /** Its mean over the sets of data.evaluations; `examples` is that of the smallest set times their number. */
  evaluations?: StudyScore;
  /** The set of `step`, `metrics` and `examples`; omitted: the validation set. */
  on?: JudgedOn;
  /** The metrics on the validation set at the last step, if `metrics` are about another one. */
  chosenOn?: EvaluationMetrics;
  /** Trained parameters of the adapters, without the head. */
  parameters: number;
  /** Median of the steps, and this process's peak memory in bytes. */
  stepSeconds?: number;
  memory?: number;
  /** The device that computed it, in words: times of runs on different devices are not comparable. */
  place?: string;
  /** Both forms at the last step, if they were measured or are inherently the same. */
  forms?: Forms;
  /** At the last step, if it was measured or is linear by definition. */
  nonlinearity?: SigmaShare;
  geometry?: Geometry;
  /** SHA-256 of the files that its last step was trained on, by path; null for a missing file. */
  trainedOn?: Readonly<Record<string, string | null>>;
  /** The user continued it with changed files. */
  changedWithin?: boolean;
  /** Paths of files that have changed since it was trained on them. */
  changedSince?: readonly string[];
  /** For each validation example at the last step, if predictions are stored. */
  examples?: ExampleOutcomes;
}

/** The data that a study compares runs on; `evaluations` is the mean over several sets. */
export type JudgedOn = 'validation' | 'test' | 'evaluations';

/** A result of the adapter of the best evaluation. */
export interface StudyScore {
  step: number;
  metrics: EvaluationMetrics;
  /** If predictions are stored; never for a mean. */
  examples?: ExampleOutcomes;
}

/**
 * `early-stopping`: the last step, at which validation no longer improved. `halving`: the run itself, which a sweep
 * compared with others and trained to its end.
 */
export type ChosenBy = 'early-stopping' | 'halving';

/** The adapter in the form that was trained last, and merged into the weights in two ways. */
export interface Forms {
  trained: EvaluationMetrics;
  /** With the linear fit of each σ, as exports merge by default. */
  fitted: EvaluationMetrics;
  /** With σ on the columns of A, as the paper merges. */
  paper: EvaluationMetrics;
  /** All are the same function: a linear method, or the static form was trained. */
  same: boolean;
}

/** The part of a run's gain that needs σ, on validation examples (`aurora nonlinearity`). */
export interface SigmaShare {
  /** No σ, or the static form was trained. */
  linear: boolean;
  /** Undefined if it is linear, or the adapters do not clearly gain anything. */
  share?: Share;
}

export interface ExampleOutcomes {
  /** SHA-256 of the file. */
  data: string;
  /** 1 if the prediction is correct. */
  correct: Uint8Array;
  /** Such columns by each metric of written answers, where several methods judge them. */
  correctBy?: Partial<Record<MetricName, Uint8Array>>;
  /**
   * Numbers whose mean is the run's loss: each example's own, or its pseudo-value where the loss is a mean over tokens.
   * Undefined where the loss cannot be split by what is kept of predictions.
   */
  loss?: Float64Array;
}

/** An excluded run. */
export interface UnfitRun {
  folder: string;
  name: string;
  unfit: Unfit;
  /** For a diverged run: the group that it would be in counts it. */
  spec?: Experiment;
}

/**
 * Unfinished, diverged, damaged, a fork (its first steps had other settings), an import (not trained with its
 * settings), or a run with the same settings and seed as another.
 */
export type Unfit = 'unfinished' | 'failed' | 'diverged' | 'damaged' | 'fork' | 'import' | 'repeated';

/**
 * The data on which the runs of a data set are compared: the test set if all of them have been scored on the same one,
 * otherwise the mean of their evaluation sets, if those are the same, otherwise the validation set.
 */
export function judgedOn(runs: readonly StudyRun[]): JudgedOn {
  if (haveAll(runs, 'test')) return 'test';
  return haveAll(runs, 'evaluations') ? 'evaluations' : 'validation';
}

const haveAll = (runs: readonly StudyRun[], on: 'test' | 'evaluations'): boolean =>
  runs.every((r) => r[on] !== undefined) &&
  new Set(runs.map((r) => JSON.stringify(r.spec.data[on]))).size === 1;

/** The run with its numbers on that set; `chosenOn` keeps those by which a learning rate is chosen. */
export function judged(run: StudyRun, on: JudgedOn): StudyRun {
  const score = on === 'validation' ? undefined : run[on];
  if (!score) return run;
  const { step, metrics, examples } = score;
  return { ...run, on, step, metrics, examples, chosenOn: run.metrics };
}

/** RUN/study/merged-step-000120.json: one checkpoint in all forms on the validation set. */
export interface MergedMetrics {
  version: 1;
  step: number;
  /** SHA-256 of the checkpoint's adapter. */
  adapter: string;
  trained: EvaluationMetrics;
  fitted: EvaluationMetrics;
  paper: EvaluationMetrics;
}

/** Parses a file's content; undefined if it is not of this version. */
export function parseMerged(value: unknown): MergedMetrics | undefined {
  const m = value as Partial<MergedMetrics> | null | undefined;
  if (m?.version !== 1 || typeof m.adapter !== 'string') return undefined;
  return [m.trained, m.fitted, m.paper].every(isMetrics) ? (m as MergedMetrics) : undefined;
}
