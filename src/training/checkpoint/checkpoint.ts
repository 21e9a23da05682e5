import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { sortedJson } from '../../base/sorted-json';
import type { Experiment } from '../../experiment/experiment';
import { withPaths } from '../../experiment/paths';
import type { FloatTensor } from '../../graph/file/safetensors';
import type { Evaluated, EvaluationMetrics } from '../../protocol/events';
import type { CurveSum } from '../../runs/curve/curve';
import type { EarlyStoppingState } from '../loop/early-stopping';
import type { KnownLimits } from '../micro-batch/micro-batches';
import type { LossScaleState } from '../optimizer/loss-scale';
import type { AdamWState } from '../optimizer/optimizer';
import type { Environment } from '../process/environment';

export const CHECKPOINT_VERSION = 1;

/** A checkpoint's state.json: where the run stands, without its tensors. */
export interface CheckpointState {
  version: number;
  /** Optimizer steps done. */
  step: number;
  examplesSeen: number;
  /** Training and evaluation time up to here. */
  secondsSpent: number;
  /** A stop request ended the evaluation that is due here; a resume begins with it. */
  unevaluated?: true;
  /** The best evaluation so far; its checkpoint is kept. */
  best: (EvaluationMetrics & { step: number }) | null;
  /** The newest evaluation. */
  last: Evaluated | null;
  earlyStopping: EarlyStoppingState;
  /** The batch size limits found so far; absent from older checkpoints. */
  memory?: KnownLimits;
  /** Mixed precision only. */
  lossScale?: LossScaleState;
  /** Summary of scalars.bin up to here; an imported adapter has no curve. */
  curve?: CurveSum;
  /** specHash of the run's spec. */
  specHash: string;
  /**
   * The environment that affects the bits besides the spec (versions, threads, optimization level); a resume compares
   * it.
   */
  environment: Environment;
}

/** Everything needed to continue bit for bit. Random numbers are drawn by counter and need no state. */
export interface Checkpoint {
  state: CheckpointState;
  /** The tensors of the adapters and of the head by name, flat. */
  parameters: Map<string, Float32Array>;
  optimizer: AdamWState;
  /** The state of the method's course (adapters/methods/method.ts); empty for most. */
  course: ReadonlyMap<string, Float32Array>;
}

const FIRST = 'exp_avg.';
const SECOND = 'exp_avg_sq.';

const flat = (data: Float32Array): FloatTensor => ({ dims: [data.length], data });

/** Prefixes as in PyTorch's optimizer state, before the parameter's name. */
export const optimizerTensors = (optimizer: AdamWState): Map<string, FloatTensor> =>
  new Map([
    ...Array.from(optimizer.firstMoments, ([name, data]) => [FIRST + name, flat(data)] as const),
    ...Array.from(optimizer.secondMoments, ([name, data]) => [SECOND + name, flat(data)] as const),
  ]);

export const parameterTensors = (parameters: ReadonlyMap<string, Float32Array>): Map<string, FloatTensor> =>
  new Map(Array.from(parameters, ([name, data]) => [name, flat(data)]));

const COURSE = 'course.';

/** They are kept in the optimizer's file. */
export const courseTensors = (course: Checkpoint['course']): Map<string, FloatTensor> =>
  new Map(Array.from(course, ([name, data]) => [COURSE + name, flat(data)] as const));

/** The inverse of `courseTensors`. */
export const courseIn = (tensors: ReadonlyMap<string, FloatTensor>): Map<string, Float32Array> =>
  valuesOf(tensors, COURSE);

/** The inverse of `parameterTensors`. */
export const valuesOf = (tensors: ReadonlyMap<string, FloatTensor>, prefix = ''): Map<string, Float32Array> =>
  new Map(
    Array.from(tensors)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, { data }]) => [name.slice(prefix.length), data]),
  );

/** The inverse of `optimizerTensors`; the step count is stored beside the tensors. */
export const optimizerOf = (tensors: ReadonlyMap<string, FloatTensor>, step: number): AdamWState => ({
  step,
  firstMoments: valuesOf(tensors, FIRST),
  secondMoments: valuesOf(tensors, SECOND),
});

/**
 * SHA-256 of an experiment, independent of key order: equal if two runs would train the same. In paths, only names
 * count: a project may be moved, and inputs.json has the content of its files.
 */
export const specHash = (spec: Experiment): string =>
  createHash('sha256')
    .update(sortedJson(withPaths(spec, (path) => basename(path))))
    .digest('hex');
