import type { Hash } from 'node:crypto';
import { basename } from 'node:path';
import { lengthOf } from '../data/batch';
import type { Dataset, Example, TextExample, TrainingPass } from '../data/dataset';
import type { List } from '../data/list';
import type { ReadWatch } from '../data/stream/build-index';
import type { Row, Rows, SkippedRow } from '../data/table/rows';
import type { Tokenizer } from '../data/text/tokenizer';
import type { HostTensors } from '../graph/tensor-infos';
import type { Model, ValueInfo } from '../graph/model';
import type { Experiment } from '../experiment/experiment';
import type { ActivationExample } from '../protocol/activation-examples';
import type { Outputs } from '../protocol/outputs';
import type { ImageShape, PlaySample } from '../protocol/playground';
import type { PlayImage } from '../protocol/play-question';
import { rowIn, rowName } from '../protocol/row-place';
import type { SplitName } from '../protocol/tokens';
import type { TaskKind } from './kind';
import { LABELS } from './task-graph';

export interface DataSplit<E extends Example = Example> {
  /** The file it came from. */
  path: string;
  rows: List<Row>;
  dataset: Dataset<E>;
  /** Rows of the file that were left out; none where validation is a share of the training file. */
  skipped: SkippedRow[];
  /** The treatment of the file's quotes, if its content decided; not for a share of the training file. */
  quotes?: Rows['quotes'];
  /** The file of each row, if the path is a pattern. */
  parts?: Rows['parts'];
}

export interface TaskData<E extends Example = Example> extends Outputs {
  train: DataSplit<E>;
  validation: DataSplit<E>;
  /** The assumptions where files beside the model leave something open, with the setting that names them. */
  assumed: { key: string; message: string }[];
  warnings: string[];
}

/** A row with its true answer. */
export type Sample = Omit<PlaySample, 'image'> & {
  /** The image as the model reads it, decoded when it is needed. */
  image?: () => Promise<PlayImage>;
};

/**
 * @param known of an earlier run, so that an exported or resumed run keeps them
 * @param watch called while a large file is read
 */
export type LoadData<D extends TaskData = TaskData> = (
  spec: Experiment,
  model: Model,
  known?: Outputs,
  watch?: ReadWatch,
) => Promise<D>;

/** The rows of an experiment's texts, each of which can be encoded without the others. */
export interface EncodableRows {
  tokenizer: Tokenizer;
  outputs: Outputs;
  splits: Record<SplitName, Pick<DataSplit, 'path' | 'rows' | 'skipped' | 'parts'>>;
  /**
   * @param row its index among those of the split
   * @param maxLength model.maxLength by default
   * @returns an example of size 0 if nothing is learned from the row
   */
  exampleAt(split: SplitName, row: number, maxLength?: number): TextExample;
  /** The tokens of an example's text, also where the model reads others in their places. */
  ownTokens(example: TextExample): Int32Array;
  /** The data of the experiment. */
  all(): Promise<TaskData>;
}

/** Reads the data of a kind of task. */
export interface DataReader<E extends Example, D extends TaskData<E>> {
  /** The data of an experiment. */
  load: LoadData<D>;
  /** The rows that `load` encodes, before it does, for a kind that reads texts. */
  encodable?(spec: Experiment, model: Model, known?: Outputs, watch?: ReadWatch): Promise<EncodableRows>;
  /**
   * The data that a trained run is measured on. With a separate validation file that file alone: the training data may
   * be large, or gone.
   */
  loadValidation: LoadData<D>;
  /** The data that questions to a trained run need, without any row. */
  withoutRows: LoadData<D>;
  /** The validation rows as the file has them, to ask a model about. */
  samples(spec: Experiment, data: D): Promise<List<Sample>>;
  /**
   * The model's inputs for a batch, each with the batch as its first axis.
   *
   * @param wanted the inputs to make
   * @param length that its examples are padded to
   * @param pass of training, where its random changes are made; none in an evaluation
   */
  inputs(
    dataset: D['train']['dataset'],
    indices: readonly number[],
    wanted: readonly ValueInfo[],
    length: number,
    pass?: TrainingPass,
  ): HostTensors | Promise<HostTensors>;
  /** Begins to read the rows that `inputs` will need, where that takes long. */
  readAhead?(dataset: D['train']['dataset'], indices: readonly number[], pass?: TrainingPass): void;
  /** For a kind that reads images: how a picture becomes one. */
  imageShape?(data: D): ImageShape;
  /**
   * A key that is equal for rows with equal inputs, where their texts do not determine it.
   *
   * @param lists all rows that are compared; the index of rows on disk has their keys
   */
  inputKeys?(lists: readonly List<Row>[]): (row: Row) => string;
  /** A small picture of an example, where it is an image. */
  thumbnail?(example: E): Promise<string | undefined>;
  /** True if inputs differ between epochs, so that nothing computed from them can be kept. */
  varies(spec: Experiment): boolean;
  /** The parts of an example that the activations view shows: its row, and its tokens. */
  shown(data: D, split: D['train'], index: number): ActivationExample | Promise<ActivationExample>;
  /** Adds the sources of a data set's inputs. */
  hashInputs(dataset: D['train']['dataset'], hash: Hash): void;
}

/** The place of a validation row. @param line counted through the files of a pattern */
export function validationPlace(
  { data }: Experiment,
  line: number,
  parts: DataSplit['parts'],
): Pick<Sample, 'file' | 'line'> {
  const { file, row } = rowIn(basename(data.validation ?? data.train), line, parts);
  return { file, line: row };
}

/** A batch as an engine takes it: the model's inputs and the expected answers; `length` pads it further. */
export async function batchFeeds(
  kind: Pick<TaskKind, 'inputs' | 'expected'>,
  wanted: readonly ValueInfo[],
  dataset: Dataset,
  indices: readonly number[],
  length: number = lengthOf(dataset, indices),
  pass?: TrainingPass,
): Promise<HostTensors> {
  const examples = indices.map((i) => dataset.examples.at(i)!);
  const inputs = await kind.inputs(dataset, indices, wanted, length, pass);
  return { ...inputs, [LABELS]: kind.expected(examples, length, pass) };
}

export const modelInputs = (model: Model) =>
  model.graph.inputs.filter((i) => !model.graph.initializers.has(i.name));

export function skippedWarning(splits: readonly Pick<DataSplit, 'path' | 'parts' | 'skipped'>[]): string[] {
  const skipped = splits.flatMap(({ path, parts, skipped: rows }) =>
    rows.map(({ line, reason }) => `${rowName(path, line, parts)}: ${reason}`),
  );
  if (skipped.length === 0) return [];
  const first = skipped.slice(0, 3);
  return [
    `${skipped.length === 1 ? '1 row was' : `${skipped.length} rows were`} skipped (data.onBadRow "skip"): ${first.join('; ')}${skipped.length > 3 ? '; …' : ''}.`,
  ];
}
