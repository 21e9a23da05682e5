import { inNamedOrder } from '../data/labels';
import { splitRows } from '../data/split';
import type { Row, Rows } from '../data/table/rows';
import type { DataSpec, Experiment } from '../experiment/experiment';
import type { Outputs, TargetScale } from '../protocol/outputs';

/** How a kind of task reads the rows of a file, and what its outputs are. */
export interface RowReader<R extends Row> {
  rows(path: string, data: DataSpec): Promise<Rows<R>>;
  /** One name for each of the model's outputs, from the rows of the training file. */
  labels(path: string, rows: readonly R[], spec: Experiment): string[];
  /** For numbers: from the rows that are trained on. */
  scale?(rows: readonly R[], spec: Experiment): TargetScale;
  /** Without rows whose labels are not among these. */
  known(path: string, rows: Rows<R>, labels: readonly string[], onBadRow: DataSpec['onBadRow']): Rows<R>;
  /** Rows of the same stratum are held out in proportion. */
  stratum(row: R): string;
}

/** Reads training and validation rows, from a file each or from shares of one. */
export function splitReader<R extends Row>(reader: RowReader<R>) {
  const readKnown = async ({ data }: Experiment, path: string, labels: readonly string[]): Promise<Rows<R>> =>
    reader.known(path, await reader.rows(path, data), labels, data.onBadRow);

  /**
   * The rows of both splits as the files have them.
   *
   * @param known of an earlier run
   */
  async function readSplits(spec: Experiment, known?: Outputs) {
    const { data } = spec;
    const read = await reader.rows(data.train, data);
    const labels = known?.labels ?? inNamedOrder(reader.labels(data.train, read.rows, spec), read.labelNames);
    const all = known ? reader.known(data.train, read, labels, data.onBadRow) : read;
    const outputs = (rows: readonly R[]): Outputs => {
      const scale = known ? known.scale : reader.scale?.(rows, spec);
      return { labels, ...(scale && { scale }) };
    };
    if (data.validation !== undefined)
      return {
        train: all,
        validation: await readKnown(spec, data.validation, labels),
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
      validation: { rows: validation, skipped: [] },
      outputs: outputs(train),
    };
  }

  const readValidation = async (spec: Experiment, outputs: Outputs): Promise<Rows<R>> =>
    spec.data.validation === undefined
      ? (await readSplits(spec, outputs)).validation
      : readKnown(spec, spec.data.validation, outputs.labels);

  return { readSplits, readValidation };
}
