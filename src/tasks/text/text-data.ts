import { percent } from '../../base/number-text';
import { checkInputs, makeInputs } from '../../data/batch';
import { makeDataset, type TextDataset, type TextExample } from '../../data/dataset';
import { mapped } from '../../data/list';
import type { ReadWatch } from '../../data/stream/build-index';
import { streamedDataset } from '../../data/stream/streamed-examples';
import { isLarge, openStreamed } from '../../data/stream/open-streamed';
import { StreamedRows } from '../../data/stream/record-file';
import { type MarkedFormat, readRows, type Row, type RowFormat, type Rows } from '../../data/table/rows';
import { TokenCache } from '../../data/text/token-cache';
import { checkVocabulary, loadTokenizer, type Tokenizer } from '../../data/text/tokenizer';
import { tokenizerSum } from '../../data/text/tokenizer-files';
import type { Experiment } from '../../experiment/experiment';
import type { Model } from '../../graph/model';
import { looksUp } from '../../graph/quantized/lookup';
import type { Outputs } from '../../protocol/outputs';
import type { TextSpan } from '../../protocol/answers/spans';
import type { TaskKind } from '../kind';
import { type ReadFile, type RowReader, splitReader } from '../splits';
import {
  type DataReader,
  type DataSplit,
  type EncodableRows,
  modelInputs,
  skippedWarning,
  type TaskData,
  validationPlace,
} from '../task-data';
import type { SplitName } from '../../protocol/tokens';
import { shownText } from './shown-text';
import { truncation } from './truncation';

export interface TextSplit<E extends TextExample> extends DataSplit<E> {
  dataset: TextDataset<E>;
}

export interface TextData<E extends TextExample> extends TaskData<E> {
  train: TextSplit<E>;
  validation: TextSplit<E>;
  tokenizer: Tokenizer;
}

export type TextKind<E extends TextExample> = TaskKind<E, TextData<E>>;

/** Reads texts, and the answers to predict, for a kind of task. */
interface TextReader<R extends Row, E extends TextExample> extends RowReader<R> {
  /** A row's labels, for a kind whose answer is labels. */
  labelSet?(row: R): string[];
  /** The labeled spans of a row's text, for a kind whose answer is spans. */
  spans?(row: R): TextSpan[];
  /** A row's text as a person would ask about it, and the answer, where that is not the text that is read. */
  asked?(row: R, spec: Experiment, tokenizer: Tokenizer): Pick<Row, 'text' | 'label'>;
  /** The format of its rows. Large files can stay on disk only with a format that states the marks of its rows. */
  format: RowFormat<R> | MarkedFormat<R>;
  /**
   * Converts a row to an example, which has size 0 if no token is left. Its tokens and their number depend on neither
   * outputs nor index.
   */
  encoder(tokenizer: Tokenizer, outputs: Outputs, spec: Experiment): (row: R, index: number) => E;
  /** The answer of a row, where that takes no text: the part of an example that is not its input. */
  answerer?(outputs: Outputs): (row: R) => Omit<E, keyof TextExample>;
  /**
   * The number of tokens of an example that are to be predicted, for a kind that predicts tokens: equal for every
   * index.
   */
  counted?(example: E): number;
  /** The tokens of the text itself, for a kind whose model reads others in their places. */
  own?(example: E): Int32Array;
}

const NO_OUTPUTS: Outputs = { labels: [] };

export function readsTexts<R extends Row, E extends TextExample>(
  reader: TextReader<R, E>,
): DataReader<E, TextData<E>> {
  const { readSplits, readValidation } = splitReader(reader);

  async function encoded(
    spec: Experiment,
    path: string,
    { rows, skipped, quotes, parts }: Rows<R>,
    outputs: Outputs,
    tokenizer: Tokenizer,
    watch?: ReadWatch,
  ): Promise<TextSplit<E>> {
    const options = { path, parts, padId: tokenizer.padId, onBadRow: spec.data.onBadRow, watch };
    const exampleOf = reader.encoder(tokenizer, outputs, spec);
    const dataset =
      rows instanceof StreamedRows
        ? streamedDataset(rows as StreamedRows<R>, options, {
            exampleOf,
            answerOf: reader.answerer?.(outputs),
          })
        : await makeDataset(rows, options, exampleOf);
    const left = [...skipped, ...dataset.skipped];
    return { path, rows, dataset, skipped: left, quotes, parts };
  }

  async function withoutRows(
    spec: Experiment,
    model: Model,
    { labels, scale }: Outputs = NO_OUTPUTS,
    cache?: TokenCache,
  ): Promise<TextData<E>> {
    const tokenizer = tokenizerFor(spec, model, cache);
    const dataset = { examples: [], truncatedCount: 0, padId: tokenizer.padId, skipped: [] };
    const none = (path: string): TextSplit<E> => ({ path, rows: [], dataset, skipped: [] });
    const { train, validation = train } = spec.data;
    return {
      train: none(train),
      validation: none(validation),
      labels,
      scale,
      tokenizer,
      assumed: assumedOf(tokenizer),
      warnings: tokenizer.warnings,
    };
  }

  async function rowsOf(spec: Experiment, model: Model, known?: Outputs, watch?: ReadWatch) {
    const { data } = spec;
    const cache = new TokenCache(spec.model.tokenizer);
    const tokenizer = tokenizerFor(spec, model, cache);
    const read = await readSplits(textRows(reader, spec, tokenizer, watch), spec, known, model);
    const { outputs } = read;
    const splits = {
      train: { ...read.train, path: data.train },
      validation: { ...read.validation, path: data.validation ?? data.train },
    };
    const encodeSplit = (split: SplitName) =>
      encoded(spec, splits[split].path, splits[split], outputs, tokenizer, watch);
    return {
      tokenizer,
      outputs,
      splits,
      exampleAt(split: SplitName, row: number, maxLength = spec.model.maxLength): E {
        const cut = { ...spec, model: { ...spec.model, maxLength } };
        return reader.encoder(tokenizer, outputs, cut)(splits[split].rows.at(row)!, row);
      },
      ownTokens: (example: E) => reader.own?.(example) ?? example.ids,
      async all(): Promise<TextData<E>> {
        const [train, validation] = [await encodeSplit('train'), await encodeSplit('validation')];
        cache.keep();
        const warnings = [
          ...tokenizer.warnings,
          ...skippedWarning([train, validation]),
          ...truncationWarning(train, spec),
        ];
        return { train, validation, ...outputs, tokenizer, assumed: assumedOf(tokenizer), warnings };
      },
    };
  }

  return {
    load: async (...given) => (await rowsOf(...given)).all(),
    encodable: (...given) => rowsOf(...given) as Promise<EncodableRows>,
    async loadValidation(spec, model, outputs = NO_OUTPUTS, watch) {
      const cache = new TokenCache(spec.model.tokenizer);
      const without = await withoutRows(spec, model, outputs, cache);
      const { tokenizer } = without;
      const { path } = without.validation;
      const rows = await readValidation(textRows(reader, spec, tokenizer, watch), spec, outputs);
      const validation = await encoded(spec, path, rows, outputs, tokenizer, watch);
      cache.keep();
      return {
        ...without,
        validation,
        warnings: [...tokenizer.warnings, ...skippedWarning([validation])],
      };
    },
    withoutRows: (spec, model, outputs) => withoutRows(spec, model, outputs),
    inputs: makeInputs,
    varies: () => false,
    shown({ tokenizer }, { rows, dataset }, index) {
      const example = dataset.examples.at(index)!;
      return shownText(rows.at(example.row)!, example, tokenizer);
    },
    hashInputs(dataset, hash) {
      hash.update(`${dataset.padId}`);
      const { digest } = dataset.examples;
      if (digest !== undefined) return void hash.update(digest);
      for (const { ids, typeIds } of dataset.examples) {
        hash.update(`,${ids.length}`).update(ids);
        if (typeIds) hash.update(typeIds);
      }
    },
    async samples(spec, data) {
      const read = textRows(reader, spec, data.tokenizer);
      const { rows, parts } = await readValidation(read, spec, data);
      return mapped(rows, (row) => {
        const { pair, choices, line } = row;
        const { text, label } = reader.asked?.(row, spec, data.tokenizer) ?? row;
        return {
          text,
          pair: spec.data.textPairColumn === undefined ? undefined : pair,
          choices,
          label,
          ...validationPlace(spec, line, parts),
          ...(reader.labelSet && { labels: reader.labelSet(row) }),
          ...(reader.spans && { spans: reader.spans(row) }),
        };
      });
    },
  };
}

/** The id of padding does not matter to a model that masks padding: only others get that warning. */
function tokenizerFor(spec: Experiment, model: Model, cache?: TokenCache): Tokenizer {
  const tokenizer = loadTokenizer(spec.model.tokenizer, cache);
  checkInputs(modelInputs(model), spec.model.path);
  const vocabulary = embeddingRows(model);
  if (vocabulary !== undefined) checkVocabulary(tokenizer, vocabulary, spec.model.path);
  const masks = modelInputs(model).some((i) => i.name === 'attention_mask');
  return masks ? { ...tokenizer, warnings: [] } : tokenizer;
}

const assumedOf = ({ warnings }: Tokenizer) =>
  warnings.map((message) => ({ key: 'model.tokenizer', message }));

function truncationWarning({ dataset }: Pick<DataSplit, 'dataset'>, spec: Experiment): string[] {
  const cut = truncation(spec, dataset);
  // A preflight notes it. Each run of such an experiment would begin with a warning about an intended setting.
  if (!cut || cut.chosen) return [];
  return [
    `${percent(cut.share, 0)} of the training texts are longer than model.maxLength (${spec.model.maxLength} tokens) and are truncated.`,
  ];
}

/** Rows of the embedding that input_ids index, or undefined where the model hides it. */
export function embeddingRows({ graph }: Model): number | undefined {
  const ids = new Set(['input_ids']);
  for (const node of graph.nodes) {
    if (['Cast', 'Identity', 'Reshape'].includes(node.opType) && ids.has(node.inputs[0]))
      ids.add(node.outputs[0]);
    if (looksUp(node) && ids.has(node.inputs[1])) {
      const table = graph.initializers.get(node.inputs[0]);
      if (table?.dims.length === 2) return table.dims[0];
    }
  }
  return undefined;
}

/** Gets the rows of a file for a kind of task: in memory or, for a large file, on disk with an index. */
function textRows<R extends Row, E extends TextExample>(
  { format, encoder, counted }: TextReader<R, E>,
  spec: Experiment,
  tokenizer: Tokenizer,
  watch?: ReadWatch,
): ReadFile<R> {
  return (path, options) => {
    if (!('marks' in format) || !isLarge(path)) return readRows(path, options, format);
    const { type, lossOn, chatTemplate } = spec.task;
    // The number of tokens does not depend on labels.
    const encode = encoder(tokenizer, { labels: [] }, spec);
    return openStreamed<R>(path, {
      format,
      options,
      reads: {
        type,
        lossOn,
        chatTemplate,
        maxLength: spec.model.maxLength,
        tokenizer: tokenizerSum(tokenizer.path),
      },
      measure: (row) => encode(row, 0),
      ...(counted && { counted: (example) => counted(example as E) }),
      watch,
    });
  };
}
