import type { DataSpec, TaskSpec } from '../../experiment/experiment';
import type { TaskColumns } from '../../experiment/tasks/columns';
import type { TaskName } from '../../experiment/tasks/registry';

/** A value, and its source. */
export interface Sourced<T> {
  value: T;
  source: string;
}

/** The source of values that nobody states. */
export const NOT_STATED = 'not stated';

/** A form in which a data set is distributed. */
export interface Layout {
  /** "GLUE's TSV files" */
  title: string;
  /** Names in a folder of the data set, of folders with a slash at the end; of several, the first that exists. */
  train: readonly string[];
  validation: readonly string[];
  /** Never used: its labels are hidden, or the paper reports on it. */
  test: readonly string[];
  /** Files that the trained model is scored on, by name; of several paths in the folder, the first that exists. */
  evaluations?: readonly { name: string; files: readonly string[] }[];
  columns: TaskColumns;
  /** The columns are not known, but a Parquet file of the hub marks the one with labels. */
  columnsInFile?: true;
  /** Only in these subfolders, whose own subfolders are the labels. */
  within?: readonly string[];
  /** The settings for reading the files. */
  read: Pick<DataSpec, 'header' | 'quoting' | 'promptTemplate'>;
  /** Every label as the files have it, in the order of the model's outputs; undefined for numbers and texts. */
  labels?: readonly string[];
  source: string;
}

/** A data set that the paper trains on, as it is distributed. */
export interface DataRecipe {
  /** "glue/rte" */
  id: string;
  /** Its name on the hub, where that is another: "glue/sst2". */
  alias?: string;
  /** The name as spelled in the paper. */
  name: string;
  task: Sourced<TaskName>;
  /** The pooling that a new head reads. */
  pooling?: Sourced<TaskSpec['pooling']>;
  /** The tokens that a language model learns to predict. */
  lossOn?: Sourced<NonNullable<TaskSpec['lossOn']>>;
  /** Settings that the paper leaves open and the data's distributors state, by key. */
  others?: Readonly<Record<string, Sourced<unknown>>>;
  /** Ids of the paper's models that are trained on it, by size; "only" where there is one. */
  models: Readonly<Partial<Record<Size, string>>>;
  /** The meaning of the labels, in the order of the model's outputs. */
  labels?: Sourced<readonly string[]>;
  /** The number of labels; several where the paper does not state which of its levels it uses. */
  classes?: Sourced<readonly number[]>;
  /** The data for training and for evaluation. */
  split: Sourced<string>;
  /** True if every download has a validation set; otherwise a share is held out where there is none. */
  validated: boolean;
  /** Subfolders of a download that may hold the files; "" is the folder itself. */
  folders: readonly string[];
  layouts: readonly Layout[];
  /** Files that look right but cannot be used, with the next step. */
  unusable?: readonly { file: string; why: string; hint: string }[];
  /** The parts of the paper's method that an experiment cannot repeat, in whole sentences. */
  leftOut: readonly string[];
}

export type Size = 'base' | 'large' | 'only';
