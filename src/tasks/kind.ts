import type { Example } from '../data/dataset';
import type { Experiment } from '../experiment/experiment';
import type { TensorInfo } from '../graph/infos';
import type { HostTensors } from '../graph/host-tensor';
import type { Model } from '../graph/model';
import type { EvaluationMetrics } from '../protocol/events';
import type { HeadSpec } from './head';
import type { ObjectiveName } from './objective';
import type { TaskData } from './text-data';

/** Adds up what a model makes of the examples of a data set. */
export interface Scorer {
  /** @param answer the model's logits for the example */
  add(example: Example, answer: Float32Array): void;
  /** All but the loss, which the graph computes. */
  metrics(): Omit<EvaluationMetrics, 'loss'>;
}

/**
 * The training half of a kind of task; `experiment/tasks` describes it. Evaluation metrics and the errors view still
 * assume one label for each example.
 */
export interface TaskKind {
  objective: ObjectiveName;
  /**
   * The data of an experiment.
   *
   * @param known the labels of an earlier run, so that an exported or resumed run keeps their order
   */
  load(spec: Experiment, model: Model, known?: readonly string[]): TaskData;
  /**
   * What a trained run is measured on: of a separate validation file that alone, since the training data may be large,
   * or gone.
   */
  loadValidation(spec: Experiment, model: Model, known?: readonly string[]): TaskData;
  /** The new head that the experiment asks for; undefined where the model's own output answers. */
  head(spec: Experiment, labels: readonly string[]): HeadSpec | undefined;
  /** @throws AuroraError 'model' where the head or the loss cannot read the output */
  checkOutput(spec: Experiment, name: string, info: TensorInfo, labels: readonly string[]): void;
  /** A batch as an engine takes it: the model's inputs and what is to be answered; `length` pads it beyond its largest example. */
  feeds(
    model: Model,
    dataset: TaskData['train']['dataset'],
    indices: readonly number[],
    length?: number,
  ): HostTensors;
  scorer(labels: readonly string[]): Scorer;
}
