import { percent } from '../base/percent';
import { checkInputs } from '../data/batch';
import { tokenizeAll, type Dataset } from '../data/dataset';
import { inferLabels, withKnownLabels } from '../data/labels';
import { readRows, type Row, type Rows, type SkippedRow } from '../data/table/rows';
import { splitRows } from '../data/split';
import { checkVocabulary, loadTokenizer, type Tokenizer } from '../data/text/tokenizer';
import type { Model } from '../graph/model';
import type { Experiment } from '../experiment/experiment';

export interface DataSplit {
  /** The file it came from. */
  path: string;
  rows: Row[];
  dataset: Dataset;
  /** Rows of the file that were left out; none where validation is a share of the training file. */
  skipped: SkippedRow[];
}

export interface TaskData {
  train: DataSplit;
  validation: DataSplit;
  labels: string[];
  tokenizer: Tokenizer;
  warnings: string[];
}

/**
 * The tokenized data of an experiment.
 *
 * @param known the labels of an earlier run, so that an exported or resumed run keeps their order
 */
export function loadData(spec: Experiment, model: Model, known?: readonly string[]): TaskData {
  const { data } = spec;
  const tokenizer = tokenizerFor(spec, model);
  const read = readSplit(spec, known);
  const { labels } = read;
  const split = (path: string, rows: Rows) => tokenized(spec, path, rows, labels, tokenizer);
  const train = split(data.train, read.train);
  const validation = split(data.validation ?? data.train, read.validation);
  const warnings = [
    ...tokenizer.warnings,
    ...skippedWarning([...train.skipped, ...validation.skipped]),
    ...truncationWarning(train, spec),
  ];
  return { train, validation, labels, tokenizer, warnings };
}

/**
 * What a trained run is measured on: of a separate validation file that alone, since the training data may be large, or
 * gone.
 */
export function loadValidation(spec: Experiment, model: Model, labels: readonly string[] = []): TaskData {
  const without = withoutRows(spec, model, labels);
  const { tokenizer } = without;
  const { path } = without.validation;
  const validation = tokenized(spec, path, validationRows(spec, labels), labels, tokenizer);
  return { ...without, validation, warnings: [...tokenizer.warnings, ...skippedWarning(validation.skipped)] };
}

/** What it takes to ask a trained run: its tokenizer and its labels. */
export function withoutRows(spec: Experiment, model: Model, labels: readonly string[] = []): TaskData {
  const tokenizer = tokenizerFor(spec, model);
  const dataset = { examples: [], truncatedCount: 0, padId: tokenizer.padId, skipped: [] };
  const none = (path: string): DataSplit => ({ path, rows: [], dataset, skipped: [] });
  const { train, validation = train } = spec.data;
  return {
    train: none(train),
    validation: none(validation),
    labels: [...labels],
    tokenizer,
    warnings: tokenizer.warnings,
  };
}

function tokenized(
  spec: Experiment,
  path: string,
  { rows, skipped }: Rows,
  labels: readonly string[],
  tokenizer: Tokenizer,
): DataSplit {
  const { onBadRow } = spec.data;
  const dataset = tokenizeAll(rows, tokenizer, { path, labels, maxLength: spec.model.maxLength, onBadRow });
  return { path, rows, dataset, skipped: [...skipped, ...dataset.skipped] };
}

const labelledRows = ({ data }: Experiment, path: string, labels: readonly string[]): Rows =>
  withKnownLabels(path, readRows(path, data), labels, data.onBadRow);

/** As the file has them, with labels of these alone. */
export const validationRows = (spec: Experiment, labels: readonly string[]): Rows =>
  spec.data.validation === undefined
    ? readSplit(spec, labels).validation
    : labelledRows(spec, spec.data.validation, labels);

/** Both sides' rows as the files have them. */
function readSplit(
  spec: Experiment,
  known?: readonly string[],
): { train: Rows; validation: Rows; labels: string[] } {
  const { data } = spec;
  const read = readRows(data.train, data);
  const labels = known ? [...known] : inferLabels(data.train, read.rows);
  const all = known ? withKnownLabels(data.train, read, labels, data.onBadRow) : read;
  if (data.validation !== undefined) {
    return { train: all, validation: labelledRows(spec, data.validation, labels), labels };
  }
  const { train, validation } = splitRows(data.train, all.rows, data.validationFraction, spec.training.seed);
  return { train: { ...all, rows: train }, validation: { rows: validation, skipped: [] }, labels };
}

/** Which id pads is of no matter to a model that masks what is padded: it is warned of for others only. */
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

function skippedWarning(skipped: readonly SkippedRow[]): string[] {
  if (skipped.length === 0) return [];
  const first = skipped.slice(0, 3).map((s) => `line ${s.line}: ${s.reason}`);
  return [
    `${skipped.length} rows were skipped (data.onBadRow "skip"): ${first.join('; ')}${skipped.length > 3 ? '; …' : ''}.`,
  ];
}

function truncationWarning({ dataset }: DataSplit, spec: Experiment): string[] {
  const share = dataset.truncatedCount / dataset.examples.length;
  if (share < 0.01) return [];
  return [
    `${percent(share, 0)} of the training texts are longer than model.maxLength (${spec.model.maxLength} tokens) and were cut.`,
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
