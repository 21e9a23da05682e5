import type { Model, Tensor } from '../graph/model';
import type { HostTensor, HostTensors, TensorInfos } from '../graph/tensor-infos';
import type { TaskGraphSpec, TrainableInfo } from '../tasks/task-graph';
import type { Place } from './place';

/** Values of the trainable tensors, by name, row-major. */
export type Parameters = ReadonlyMap<string, Float32Array>;

export interface StepResult {
  lossSum: number;
  count: number;
  gradients: Map<string, Float32Array>;
}

export interface EvaluationResult {
  lossSum: number;
  count: number;
  logits: HostTensor;
  /** z of every call of an adapted layer, by module path; only on request. */
  observed: Map<string, HostTensor[]>;
}

/** Runs a task forward on one device. */
export interface Evaluator {
  evaluate(inputs: HostTensors, parameters: Parameters, observe?: boolean): Promise<EvaluationResult>;
  /**
   * Opens another graph of the same model, which uses the same weights on the same device; absent where the engine
   * cannot. The caller disposes of it before the evaluator.
   *
   * @param name of the graph's file
   */
  openGraph?(graph: Model, name: string): Promise<Executable>;
  dispose(): Promise<void>;
}

/** Also runs training steps. */
export interface Stepper extends Evaluator {
  /** True if a step computes logits only for the positions with a label. */
  readonly atLabels?: boolean;
  /**
   * @param inputs the model's inputs, labels, and dropout masks if the task has them
   * @param gradScale factor on every gradient: 1 / (examples or tokens that count in the whole step)
   */
  step(inputs: HostTensors, parameters: Parameters, gradScale: number): Promise<StepResult>;
}

export interface OpenedTask {
  stepper: Stepper;
  trainable: TrainableInfo[];
  /** Requested features that are unavailable, in full sentences; the task runs without them. */
  warnings?: readonly string[];
}

/** A batch that int8 is judged on. */
export interface JudgedBatch {
  inputs: HostTensors;
  parameters: Parameters;
  /** Steps that the search for layers that stay in float32 may take; unlimited by default. */
  searchSteps?: number;
  /** The task on the weights before they were rounded, if the model stores rounded ones. */
  original?: JudgedModel;
}

export interface JudgedModel {
  model: Model;
  infos: TensorInfos;
  graph: TaskGraphSpec;
}

export interface EvaluatorOptions {
  /** ONNX Runtime on the CPU by default. */
  place?: Place;
  /** Threads on a CPU; one per core by default. */
  threads?: number;
}

export interface TaskOptions extends EvaluatorOptions {
  /**
   * 'mixed': frozen weights in float16, everything else in float32; the caller scales the loss. 'int8': the products of
   * a step with frozen weights in int8; evaluations stay in float32.
   */
  precision?: 'float32' | 'mixed' | 'int8';
  /** For int8: layers whose gradients differ too much on it stay in float32. By default, none does. */
  judgedBatch?: () => Promise<JudgedBatch>;
  /**
   * For int8: finds the transposed copy of a weight that is stored in int8; or the reason why there is none, in a full sentence,
   * and weights are transposed in each step, as they are by default.
   */
  transposed?: () => ((values: Tensor) => Tensor) | string;
  /** Recompute each layer's activations in the backward pass instead of keeping them. */
  gradientCheckpointing?: boolean;
}

export type { HostTensor, HostTensors } from '../graph/tensor-infos';

/** A graph ready to run on one device. */
export interface Executable {
  /** @param fetches output names; all of them by default */
  run(feeds: HostTensors, fetches?: readonly string[]): Promise<HostTensors>;
  dispose(): Promise<void>;
}
