import { inNamedOrder } from '../data/labels';
import { splitRows } from '../data/split';
import type { List } from '../data/list';
import { markedOf, type Row, type Rows } from '../data/table/rows';
import type { DataSpec, Experiment } from '../experiment/experiment';
import type { Model } from '../graph/model';
import { headLabels } from '../graph/task-head';
import type { Outputs, TargetScale } from '../protocol/outputs';

/** Reads the outputs of a kind of task from rows. In rows of large files it sees the answers, without texts. */
export interface RowReader<R extends Row> {
  /** The names of the model's outputs, from the rows of the training file. */
  labels(path: string, rows: Iterable<R>, spec: Experiment): string[];
  /** For numbers: from the rows that are trained on. */
  scale?(rows: Iterable<R>, spec: Experiment): TargetScale;
  /** Without rows whose labels are not among these. Refuses a file whose answers are not published. */
  known(path: string, rows: Rows<R>, labels: readonly string[], onBadRow: DataSpec['onBadRow']): Rows<R>;
  /** Rows of the same stratum are held out in proportion. */
  stratum(row: R): string;
}

/** The rows of a file. */
export type ReadFile<R extends Row> = (path: string, data: DataSpec) => Promise<Rows<R>>;

/** Reads training and validation rows, from a file each or from shares of one. */
export function splitReader<R extends Row>(reader: RowReader<R>) {
  const readKnown = async (
    read: ReadFile<R>,
    { data }: Experiment,
    path: string,
    labels: readonly string[],
  ): Promise<Rows<R>> => reader.known(path, await read(path, data), labels, data.onBadRow);

  /**
   * The rows of both splits as the files have them.
   *
   * @param known of an earlier run
   * @param model whose own head may name its labels
   */
  async function readSplits(readFile: ReadFile<R>, spec: Experiment, known?: Outputs, model?: Model) {
    const { data } = spec;
    const read = await readFile(data.train, data);
    const labels =
      known?.labels ??
      ofHead(
        inNamedOrder(reader.labels(data.train, markedOf(read.rows), spec), read.labelNames),
        model && usesOwnHead(spec) ? headLabels(model) : undefined,
      );
    const all = known ? reader.known(data.train, read, labels, data.onBadRow) : read;
    const outputs = (rows: List<R>): Outputs => {
      const scale = known ? known.scale : reader.scale?.(markedOf(rows), spec);
      return { labels, scale };
    };
    if (data.validation !== undefined)
      return {
        train: all,
        validation: await readKnown(readFile, spec, data.validation, labels),
        outputs: outputs(all.rows),
      };
    const { train, validation } = splitRows(
      data.train,
      all.rows,
      data.validationFraction,
      spec.training.seed,
      (row) => reader.stratum(row),
    );
    return {
      train: { ...all, rows: train },
      validation: { rows: validation, skipped: [], parts: all.parts },
      outputs: outputs(train),
    };
  }

  const readValidation = async (
    readFile: ReadFile<R>,
    spec: Experiment,
    outputs: Outputs,
  ): Promise<Rows<R>> =>
    spec.data.validation === undefined
      ? (await readSplits(readFile, spec, outputs)).validation
      : readKnown(readFile, spec, spec.data.validation, outputs.labels);

  return { readSplits, readValidation };
}

/** All labels of a model's own head, in its order, if those of the data are among them. */
const ofHead = (labels: string[], named: readonly string[] | undefined): string[] =>
  named && labels.length > 0 && labels.every((label) => named.includes(label)) ? [...named] : labels;

const usesOwnHead = ({ task }: Experiment): boolean => task.head === 'none' || task.headWeights === 'model';
