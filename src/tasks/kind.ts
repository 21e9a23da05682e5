import type { Answered, Example, Examples, Texts, TrainingPass } from '../data/dataset';
import type { Experiment } from '../experiment/experiment';
import type { TensorInfo } from '../graph/infos';
import type { HostTensor } from '../graph/host-tensor';
import type { Baseline } from '../protocol/alarms/baseline';
import type { EvaluationMetrics } from '../protocol/events';
import type { Answer, PlayImage } from '../protocol/playground';
import type { Answers } from '../protocol/predictions';
import type { Outputs } from '../protocol/outputs';
import type { PreflightData, PreflightSplit } from '../protocol/preflight';
import type { HeadSpec } from './head';
import type { ObjectiveName } from './objective';
import type { Writing } from './writing';
import type { DataReader, DataSplit, TaskData } from './task-data';

/** Adds up the metrics of a model over the examples of a data set. */
export interface Scorer<E> {
  /** @param logits the model's for the example: one vector, or one per token; or what `compared` keeps of them */
  add(example: E, logits: Float32Array): void;
  /** All but the loss. @param loss the mean, which the graph computes */
  metrics(loss: number): Omit<EvaluationMetrics, 'loss'>;
}

/** A finding about the data that makes results look better than they are, or leaves something unmeasured. */
export interface DataFinding {
  /** The setting to change, dotted. */
  key: string;
  message: string;
  hint: string;
}

/** What a person asks about: texts, also with choices, or an image of the size that the model reads. */
export type Input = Texts & { image?: PlayImage; choices?: readonly string[] };

/** How a kind reads an example as several sequences, to compare the model's logits for them. */
export interface Compared<E> {
  sequences(example: E): readonly Example[];
  /** A few numbers about a sequence. Those of all its sequences, in their order, stand for an example's logits. */
  keep(sequence: Example, logits: Float32Array): readonly number[];
  /** What the model is to write besides, for an example whose answer is read from that. */
  writing(example: E): Writing | undefined;
}

/** One input from a person. */
export interface Asked<E> {
  example: E;
  /** Turns the model's logits into the answer. */
  answer(logits: Float32Array): Answer;
}

/**
 * The half of a kind of task that trains and evaluates it; `experiment/tasks` describes it to pages and the editor.
 *
 * @typeParam E an example, with what is to be predicted
 */
export interface TaskKind<
  E extends Example = Example,
  D extends TaskData<E> = TaskData<E>,
> extends DataReader<E, D> {
  objective: ObjectiveName;
  /** The new head that the experiment asks for; undefined where the model's own output is the answer. */
  head(spec: Experiment, labels: readonly string[]): HeadSpec | undefined;
  /** @throws AuroraError 'model' if the head or the loss cannot read the output */
  checkOutput(spec: Experiment, name: string, info: TensorInfo, labels: readonly string[]): void;
  /**
   * What the loss compares the answers for a batch with.
   *
   * @param length of its padded examples
   * @param pass of training; none in an evaluation
   */
  expected(examples: readonly E[], length: number, pass?: TrainingPass): HostTensor;
  /** How much an example counts in the mean loss of a step: 1, or the number of its words. */
  weight(example: E): number;
  /**
   * The classes that an example is to get, for a kind whose loss is the cross-entropy of labels:
   * task.labelSmoothing and task.classWeights are for these.
   */
  classes?(example: Answered<E>): readonly number[];
  /** Sizes of an example in the model's inputs, for a kind that knows them from its data. */
  inputSizes?(data: D): ReadonlyMap<string, readonly number[]> | undefined;
  /** Keys of a training batch's dropout masks, one for each row, for a kind with more rows than examples. */
  maskKeys?(dataset: D['train']['dataset'], indices: readonly number[]): number[];
  /** Whether the rows of a training batch have weights, for a kind whose inputs then hold them. */
  weighsRows?(spec: Experiment): boolean;
  /**
   * The training data as rows of several examples, for training.packing. Only for a kind whose loss is the same for
   * examples one after the other.
   */
  pack?(dataset: D['train']['dataset'], spec: Experiment): D['train']['dataset'];
  /** For a kind that runs the model on more than the example itself to evaluate it. */
  compared?: Compared<E>;
  scorer(outputs: Outputs): Scorer<E>;
  baseline(data: D): Baseline;
  /** The loss of giving every answer the same probability, for the search for exploded models. */
  guessLoss(data: D): number;
  /** What the answers of a split are: how often each label occurs, or how numbers are distributed. */
  facts(
    examples: Examples<E>,
    outputs: Outputs,
  ): Pick<PreflightSplit, 'labels' | 'unlabeled' | 'numbers' | 'targets' | 'pictures'>;
  findings(spec: Experiment, data: PreflightData): DataFinding[];
  /** What predictions and comparisons need of an example's logits, where all of them would be too many. */
  keep?(example: E, logits: Float32Array): Float32Array;
  /** What the errors view shows of a data set. @param logits of each example, in data order; what `keep` makes of them */
  predictions(split: DataSplit<E>, outputs: Outputs, logits: readonly Float32Array[]): Answers;
  /** How a hidden token is written in a text, for a kind that predicts those. */
  mask?(data: D): string;
  /**
   * Undefined for a kind that writes texts.
   *
   * @throws AuroraError 'data' if the tokenizer leaves nothing of the text
   */
  ask?(input: Input, data: D, maxLength: number): Asked<E>;
}
