import type { Answered, Example, Examples, Texts, TrainingPass } from '../data/dataset';
import type { Experiment } from '../experiment/experiment';
import type { HostTensor, TensorInfo } from '../graph/tensor-infos';
import type { Baseline } from '../protocol/baseline';
import type { PlayImage } from '../protocol/play-question';
import type { Answer, Answers } from '../protocol/answers/kinds';
import type { EvaluationMetrics } from '../protocol/events';
import type { Outputs } from '../protocol/outputs';
import type { PreflightData, PreflightSplit } from '../protocol/preflight';
import type { HeadSpec } from './head';
import type { ObjectiveName } from './objective';
import type { DataReader, DataSplit, TaskData } from './task-data';

/** Adds up the metrics of a model over the examples of a data set. */
export interface Scorer<E> {
  /**
   * @param logits the model's for the example: one vector, or one per token; or the numbers that `compared` keeps of
   *   them
   */
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

/** A person's question: texts, also with choices, or an image of the size that the model reads. */
export type Input = Texts & { image?: PlayImage; choices?: readonly string[] };

/** Reads an example as several sequences, to compare the model's logits for them. */
export interface Compared<E> {
  sequences(example: E): readonly Example[];
  /** A few numbers about a sequence. The numbers of all sequences, in their order, stand for an example's logits. */
  keep(sequence: Example, logits: Float32Array): readonly number[];
  /** The text that the model is to write besides, for an example whose answer is read from it. */
  writing(example: E): Writing | undefined;
  /** True if an evaluation without the written texts is of use too: exports, which compare models by it, leave them out. */
  apart?: true;
}

/** The input from a person. */
export interface Asked<E> {
  example: E;
  /** Turns the model's logits into the answer. */
  answer(logits: Float32Array): Answer;
}

/**
 * The half of a kind of task that trains and evaluates it; `experiment/tasks` describes it to pages and the editor.
 *
 * @typeParam E an example, with its answer
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
   * The tensor that the loss compares with the answers for a batch.
   *
   * @param length of its padded examples
   * @param pass of training; none in an evaluation
   */
  expected(examples: readonly E[], length: number, pass?: TrainingPass): HostTensor;
  /** The weight of an example in the mean loss of a step: 1, or the number of its words. */
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
  /** True if the rows of a training batch have weights, for a kind whose inputs then hold them. */
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
  /** The answers of a split: the occurrences of each label, or the distribution of numbers. */
  facts(
    examples: Examples<E>,
    outputs: Outputs,
  ): Pick<PreflightSplit, 'labels' | 'unlabeled' | 'numbers' | 'targets' | 'pictures'>;
  findings(spec: Experiment, data: PreflightData): DataFinding[];
  /** The part of an example's logits that predictions and comparisons need, where all of them would be too many. */
  keep?(example: E, logits: Float32Array): Float32Array;
  /**
   * The answers that the errors view shows for a data set. @param logits of each example, in data order; the result of
   * `keep` for them
   */
  predictions(split: DataSplit<E>, outputs: Outputs, logits: readonly Float32Array[]): Answers;
  /** The spelling of a hidden token in a text, for a kind that predicts those. */
  mask?(data: D): string;
  /**
   * Undefined for a kind that writes texts.
   *
   * @throws AuroraError 'data' if the tokenizer leaves nothing of the text
   */
  ask?(input: Input, data: D, maxLength: number): Asked<E>;
}

/** The text that a model is to write after a prompt, and the way to read it. */
export interface Writing {
  prompt: readonly number[];
  /** New tokens at most. */
  maxTokens: number;
  /** Texts that are continued at once, of which the most likely one counts; 1 for greedy decoding. */
  beams: number;
  /** Tokens that end the text. */
  ends: ReadonlySet<number>;
  /** True if the new tokens so far end the text; only for greedy decoding. */
  isOver?(tokens: readonly number[]): boolean;
  /** A text so far, as an example in which nothing counts in a loss. */
  example(ids: readonly number[]): Example;
  /** A few numbers about the new tokens, kept after those of the sequences. */
  keep(tokens: readonly number[]): readonly number[];
}
