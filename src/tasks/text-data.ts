import { percent } from '../base/percent';
import { checkInputs, lengthOf, makeInputs } from '../data/batch';
import { makeDataset, type Dataset, type TextExample } from '../data/dataset';
import type { Row, Rows, SkippedRow } from '../data/table/rows';
import { inNamedOrder } from '../data/labels';
import { splitRows } from '../data/split';
import { checkVocabulary, loadTokenizer, type Tokenizer } from '../data/text/tokenizer';
import type { HostTensors } from '../graph/host-tensor';
import type { Model, ValueInfo } from '../graph/model';
import type { DataSpec, Experiment } from '../experiment/experiment';
import type { Outputs, TargetScale } from '../protocol/outputs';
import type { PlaySample, TextSpan } from '../protocol/playground';
import { rowWord } from '../protocol/row-place';
import type { TaskKind } from './kind';
import { LABELS } from './program';

export interface DataSplit<E extends TextExample = TextExample> {
  /** The file it came from. */
  path: string;
  rows: Row[];
  dataset: Dataset<E>;
  /** Rows of the file that were left out; none where validation is a share of the training file. */
  skipped: SkippedRow[];
  /** How the file's quotes were read, where that was for its content to decide; not for a share of the training file. */
  quotes?: Rows['quotes'];
}

export interface TaskData<E extends TextExample = TextExample> extends Outputs {
  train: DataSplit<E>;
  validation: DataSplit<E>;
  tokenizer: Tokenizer;
  warnings: string[];
}

/** How a kind of task reads texts and what is to be predicted of them. */
export interface TextReader<R extends Row, E extends TextExample> {
  rows(path: string, data: DataSpec): Promise<Rows<R>>;
  /** One name for each of the model's outputs, from the rows of the training file. */
  labels(path: string, rows: readonly R[], spec: Experiment): string[];
  /** For numbers: from the rows that are trained on. */
  scale?(rows: readonly R[], spec: Experiment): TargetScale;
  /** Without rows whose labels are not among these. */
  known(path: string, rows: Rows<R>, labels: readonly string[], onBadRow: DataSpec['onBadRow']): Rows<R>;
  /** Rows of the same stratum are held out in proportion. */
  stratum(row: R): string;
  /** A row's labels, for a kind whose answer is labels. */
  labelSet?(row: R): string[];
  /** The labeled spans of a row's text, for a kind whose answer is spans. */
  spans?(row: R): TextSpan[];
  /** @returns how a row becomes an example; one of size 0 if no token is left */
  encoder(tokenizer: Tokenizer, outputs: Outputs, spec: Experiment): (row: R, index: number) => E;
}

/** A row with its true answer. */
export type Sample = Omit<PlaySample, 'file'>;

/** @param known of an earlier run, so that an exported or resumed run keeps them */
export type LoadData<E extends TextExample = TextExample> = (
  spec: Experiment,
  model: Model,
  known?: Outputs,
) => Promise<TaskData<E>>;

/** How a kind of task reads its data. */
export interface DataReader<E extends TextExample> {
  /** The data of an experiment. */
  load: LoadData<E>;
  /**
   * What a trained run is measured on. With a separate validation file that file alone: the training data may be large,
   * or gone.
   */
  loadValidation: LoadData<E>;
  /** What it takes to ask a trained run: its tokenizer and what its outputs mean. */
  withoutRows: LoadData<E>;
  /** The validation rows as the file has them, to ask a model about. */
  samples(spec: Experiment, outputs: Outputs): Promise<Sample[]>;
}

const NO_OUTPUTS: Outputs = { labels: [] };

export function readsTexts<R extends Row, E extends TextExample>(reader: TextReader<R, E>): DataReader<E> {
  const readKnown = async ({ data }: Experiment, path: string, labels: readonly string[]): Promise<Rows<R>> =>
    reader.known(path, await reader.rows(path, data), labels, data.onBadRow);

  /** The rows of both splits as the files have them. */
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

  function encoded(
    spec: Experiment,
    path: string,
    { rows, skipped, quotes }: Rows<R>,
    outputs: Outputs,
    tokenizer: Tokenizer,
  ): DataSplit<E> {
    const options = { path, padId: tokenizer.padId, onBadRow: spec.data.onBadRow };
    const dataset = makeDataset(rows, options, reader.encoder(tokenizer, outputs, spec));
    return { path, rows, dataset, skipped: [...skipped, ...dataset.skipped], ...(quotes && { quotes }) };
  }

  async function withoutRows(
    spec: Experiment,
    model: Model,
    { labels, scale }: Outputs = NO_OUTPUTS,
  ): Promise<TaskData<E>> {
    const tokenizer = tokenizerFor(spec, model);
    const dataset = { examples: [], truncatedCount: 0, padId: tokenizer.padId, skipped: [] };
    const none = (path: string): DataSplit<E> => ({ path, rows: [], dataset, skipped: [] });
    const { train, validation = train } = spec.data;
    return {
      train: none(train),
      validation: none(validation),
      labels,
      ...(scale && { scale }),
      tokenizer,
      warnings: tokenizer.warnings,
    };
  }

  return {
    async load(spec, model, known) {
      const { data } = spec;
      const tokenizer = tokenizerFor(spec, model);
      const read = await readSplits(spec, known);
      const { outputs } = read;
      const train = encoded(spec, data.train, read.train, outputs, tokenizer);
      const validation = encoded(spec, data.validation ?? data.train, read.validation, outputs, tokenizer);
      const warnings = [
        ...tokenizer.warnings,
        ...skippedWarning([train, validation]),
        ...truncationWarning(train, spec),
      ];
      return { train, validation, ...outputs, tokenizer, warnings };
    },
    async loadValidation(spec, model, outputs = NO_OUTPUTS) {
      const without = await withoutRows(spec, model, outputs);
      const { tokenizer } = without;
      const { path } = without.validation;
      const validation = encoded(spec, path, await readValidation(spec, outputs), outputs, tokenizer);
      return {
        ...without,
        validation,
        warnings: [...tokenizer.warnings, ...skippedWarning([validation])],
      };
    },
    withoutRows,
    async samples(spec, outputs) {
      const { rows } = await readValidation(spec, outputs);
      return rows.map((row) => {
        const { text, pair, label, line } = row;
        return {
          text,
          ...(spec.data.textPairColumn !== undefined && { pair }),
          label,
          line,
          ...(reader.labelSet && { labels: reader.labelSet(row) }),
          ...(reader.spans && { spans: reader.spans(row) }),
        };
      });
    },
  };
}

/** A batch of texts as an engine takes it: the model's inputs and what is expected of it; `length` pads it further. */
export function textFeeds<E extends TextExample>(
  kind: Pick<TaskKind<E>, 'expected'>,
  inputs: readonly ValueInfo[],
  dataset: Dataset<E>,
  indices: readonly number[],
  length: number = lengthOf(dataset, indices),
): HostTensors {
  const examples = indices.map((i) => dataset.examples[i]);
  return { ...makeInputs(dataset, indices, inputs, length), [LABELS]: kind.expected(examples, length) };
}

/** Which id pads does not matter to a model that masks padding: only others get that warning. */
function tokenizerFor(spec: Experiment, model: Model): Tokenizer {
  const tokenizer = loadTokenizer(spec.model.tokenizer);
  checkInputs(modelInputs(model), spec.model.path);
  const vocabulary = embeddingRows(model);
  if (vocabulary !== undefined) checkVocabulary(tokenizer, vocabulary, spec.model.path);
  const masks = modelInputs(model).some((i) => i.name === 'attention_mask');
  return masks ? { ...tokenizer, warnings: [] } : tokenizer;
}

export const modelInputs = (model: Model) =>
  model.graph.inputs.filter((i) => !model.graph.initializers.has(i.name));

function skippedWarning(splits: readonly Pick<DataSplit, 'path' | 'skipped'>[]): string[] {
  const skipped = splits.flatMap(({ path, skipped: rows }) =>
    rows.map((row) => `${rowWord(path)} ${row.line}: ${row.reason}`),
  );
  if (skipped.length === 0) return [];
  const first = skipped.slice(0, 3);
  return [
    `${skipped.length} rows were skipped (data.onBadRow "skip"): ${first.join('; ')}${skipped.length > 3 ? '; …' : ''}.`,
  ];
}

function truncationWarning({ dataset }: DataSplit, spec: Experiment): string[] {
  const share = dataset.truncatedCount / dataset.examples.length;
  if (share < 0.01) return [];
  return [
    `${percent(share, 0)} of the training texts are longer than model.maxLength (${spec.model.maxLength} tokens) and are truncated.`,
  ];
}

/** Rows of the embedding that input_ids index, or undefined where the model hides it. */
export function embeddingRows({ graph }: Model): number | undefined {
  const ids = new Set(['input_ids']);
  for (const node of graph.nodes) {
    if (['Cast', 'Identity', 'Reshape'].includes(node.opType) && ids.has(node.inputs[0]))
      ids.add(node.outputs[0]);
    if (node.opType === 'Gather' && ids.has(node.inputs[1])) {
      const table = graph.initializers.get(node.inputs[0]);
      if (table?.dims.length === 2) return table.dims[0];
    }
  }
  return undefined;
}
