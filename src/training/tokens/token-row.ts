import { modelSource } from '../../architectures/model-source';
import { AuroraError } from '../../base/errors';
import { lengthOf } from '../../data/batch';
import { type Dataset, emptyReason, type TextExample } from '../../data/dataset';
import { epochOrder, evaluationOrder } from '../../data/row-order';
import type { ReadWatch } from '../../data/stream/build-index';
import { lineOf } from '../../data/table/rows';
import { cutRuns } from '../../data/text/cut-runs';
import { tokenTexts } from '../../data/text/token-texts';
import type { Tokenizer } from '../../data/text/tokenizer';
import type { Experiment } from '../../experiment/experiment';
import { describeTask } from '../../experiment/tasks/registry';
import { DType } from '../../graph/dtype';
import type { ValueInfo } from '../../graph/model';
import type { HostTensors } from '../../graph/tensor-infos';
import { rowIn } from '../../protocol/row-place';
import type { CutTokens, PackedRow, RowBatch, RowToken, TokenRow } from '../../protocol/tokens';
import type { TaskKind } from '../../tasks/kind';
import { IGNORE_LABEL, OBJECTIVES, type TrainingLoss } from '../../tasks/objective';
import { batchFeeds, type EncodableRows, modelInputs, type TaskData } from '../../tasks/task-data';
import { LABELS } from '../../tasks/task-graph';
import { taskKind } from '../../tasks/task-registry';
import { trainingLoss } from '../../tasks/training-loss';
import { readModel, requirePositions } from '../task/adapted-model';
import { stepData } from '../task/step-data';
import { findRow, type FoundRow, nameOfRow, type RowChoice } from './find-row';

/** Rows of an experiment up to which all are read for a single one, to know its batch. */
const FEW_ROWS = 2000;
/** Tokens beyond model.maxLength that are made of a text, and those of them that are shown. */
const MOST_CUT = 50_000;
const SHOWN_CUT = 1000;

export interface TokensRequest extends RowChoice {
  /** Reads all texts of large data, too, to know the row's batch. */
  batch?: boolean;
  /** Called while a large file is read. */
  watch?: ReadWatch;
}

/**
 * A row of an experiment's data as the trainer feeds it to the model: tokens and answers are those of the batch that a
 * step of the first epoch, or an evaluation, makes of it.
 *
 * @throws AuroraError 'usage' for a task without texts, or a row that is not there; otherwise as training
 */
export async function tokenRow(
  spec: Experiment,
  { batch, watch, ...choice }: TokensRequest,
): Promise<TokenRow> {
  const kind = taskKind(spec.task);
  if (!kind.encodable)
    throw new AuroraError(
      'usage',
      `The task of this experiment is ${describeTask(spec.task.type).title.toLowerCase()}, whose loss is not one of texts.`,
      'Tokens can be shown for tasks that label, score or continue texts.',
    );
  const tolerant: Experiment = { ...spec, data: { ...spec.data, onBadRow: 'skip' } };
  // As stored: a form in few bits has the same inputs, and would first be written to disk.
  const { original, model } = readModel(modelSource(spec.model.path));
  requirePositions(original, spec.model, spec.training.packing);
  const rows = await kind.encodable(tolerant, model, undefined, watch);
  const found = findRow(rows.splits, choice, spec.data.validation === undefined);
  const { split, index } = found;
  const example = rows.exampleAt(split, index);
  const isSmall = rows.splits.train.rows.length + rows.splits.validation.rows.length <= FEW_ROWS;
  const trains = split === 'train';
  const needsAll = batch || (trains && (spec.training.packing || spec.task.classWeights === 'balanced'));
  const made: Made = { spec: tolerant, kind, rows, found, example, wanted: modelInputs(model) };
  if (example.size === 0) return describe(made, leftOut(made), spec);
  const all = needsAll ? await rows.all() : isSmall ? await rows.all().catch(ifUsable) : undefined;
  const step = all ? inBatch(made, all, (data) => stepData(tolerant, kind, model, data)) : alone(made);
  return describe(made, step, spec);
}

/** The row can be shown where others cannot be used, which training reports. */
function ifUsable(e: unknown): undefined {
  if (!(e instanceof AuroraError)) throw e;
}

/** The parts from which a row is described. */
interface Made {
  spec: Experiment;
  kind: TaskKind;
  rows: EncodableRows;
  found: FoundRow;
  example: TextExample;
  wanted: readonly ValueInfo[];
}

/** The place of a row's example in the data of a step. */
interface Step {
  dataset: Dataset;
  index: number;
  /** The length that the example is padded to. */
  length: number;
  wanted: readonly ValueInfo[];
  loss: TrainingLoss | undefined;
  batch?: Omit<RowBatch, 'pad'>;
  packed?: PackedRow;
}

/** A step of the row alone: its tokens are those that it has in any batch. */
function alone({ spec, kind, rows, found: { split }, example, wanted }: Made): Step {
  const dataset = datasetOf(example, rows.tokenizer);
  const data = { train: { dataset, path: rows.splits.train.path }, ...rows.outputs } as unknown as TaskData;
  const loss = split === 'train' ? trainingLoss(spec, kind, data) : undefined;
  return { dataset, index: 0, length: example.size, wanted, loss };
}

/** The tokens of a row from which nothing is learned, as if it were read. */
const leftOut = ({ rows, example, wanted }: Made): Step => {
  const all = { ...example, size: example.ids.length };
  const dataset = datasetOf(all, rows.tokenizer);
  return { dataset, index: 0, length: all.size, wanted, loss: undefined };
};

const datasetOf = (example: TextExample, { padId }: Tokenizer): Dataset =>
  ({ examples: [example], truncatedCount: 0, skipped: [], padId }) as Dataset;

/** The batch with the row. */
function inBatch(
  { spec, rows, found: { split, index: row }, wanted }: Made,
  data: TaskData,
  stepOf: (data: TaskData) => ReturnType<typeof stepData>,
): Step {
  const { batchSize, gradientAccumulation } = spec.training;
  if (split === 'validation') {
    const { dataset } = data.validation;
    const index = exampleOf(dataset, row);
    const batches = evaluationOrder(dataset, batchSize);
    const at = batches.findIndex((batch) => batch.includes(index));
    const length = lengthOf(dataset, batches[at]!);
    const batch = { step: at + 1, examples: batches[at]!.length, length };
    return { dataset, index, length, wanted, loss: undefined, batch };
  }
  const { packed, trainingSet: dataset, inputs, loss } = stepOf(data);
  const index = packed
    ? [...packed.examples].findIndex((e) => e.textRows!.includes(row))
    : exampleOf(dataset, row);
  const batches = epochOrder(dataset, { ...spec.training, epoch: 0 });
  const at = batches.findIndex((batch) => batch.includes(index));
  const length = lengthOf(dataset, batches[at]!);
  const step = Math.floor(at / gradientAccumulation) + 1;
  const batch = { step, examples: batches[at]!.length, length };
  return {
    dataset,
    index,
    length,
    wanted: inputs,
    loss,
    batch,
    ...(packed && { packed: packedRow(packed, index, row, rows) }),
  };
}

/** The index of a row's example; examples are in the order of their rows. */
function exampleOf({ examples }: Dataset, row: number): number {
  let [low, high] = [0, examples.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (examples.at(middle)!.row < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

function packedRow({ examples }: Dataset, index: number, row: number, rows: EncodableRows): PackedRow {
  const { textRows, begins, size } = examples.at(index) as TextExample & { textRows: number[] };
  const starts = [...new Set(begins)];
  return {
    row: index + 1,
    rows: examples.length,
    texts: textRows.map((text, i) => ({
      name: nameOfRow(rows.splits.train, text),
      begin: starts[i]!,
      size: (starts[i + 1] ?? size) - starts[i]!,
    })),
    own: textRows.indexOf(row),
  };
}

/** The input that every text model reads; asked for by name, so that it is there. */
const IDS: ValueInfo = { name: 'input_ids', dtype: DType.int64, shape: undefined };

async function describe(made: Made, step: Step, { data, model }: Experiment): Promise<TokenRow> {
  const { spec, kind, rows, found, example } = made;
  const { split, index } = found;
  const own = rows.splits[split];
  const { file, row } = rowIn(own.path, lineOf(own.rows, index), own.parts);
  const isOut = example.size === 0;
  const perToken = OBJECTIVES[kind.objective].ahead !== undefined;
  const pass = split === 'train' ? { seed: spec.training.seed, epoch: 0 } : undefined;
  const feeds =
    step.length === 0
      ? undefined
      : await batchFeeds(kind, withIds(step.wanted), step.dataset, [step.index], step.length, pass);
  const size = isOut ? step.length : step.dataset.examples.at(step.index)!.size;
  const tokens = feeds ? tokensOf(made, feeds, size, perToken && !isOut, step.loss) : [];
  const { cut, more } = cutOf(made, perToken);
  const begin = step.packed?.texts[step.packed.own]!.begin ?? 0;
  return {
    kind: 'tokens',
    split,
    file,
    row,
    name: nameOfRow(own, index),
    ...(index > 0 && { previous: nameOfRow(own, index - 1) }),
    ...(index + 1 < own.rows.length && { next: nameOfRow(own, index + 1) }),
    at: index + 1,
    rows: own.rows.length,
    ...(data.validation === undefined && { shared: true as const }),
    answer: describeTask(spec.task.type).answer,
    perToken,
    tokens,
    cut: cut.map((run) => ({ ...run, at: begin + run.at })),
    ...(more && { cutMore: true as const }),
    ...(!perToken && !isOut && feeds && wholeAnswer(made, feeds, step.loss)),
    ...(isOut && {
      leftOut: { reason: emptyReason(example.ids.length === 0), fails: data.onBadRow === 'fail' },
    }),
    ...(step.packed && { packed: step.packed }),
    ...(step.batch && {
      batch: { ...step.batch, pad: padToken(rows.tokenizer) },
    }),
    ...(pass && perToken && kind.varies(spec) && { varies: true as const }),
    maxLength: model.maxLength,
  };
}

const withIds = (wanted: readonly ValueInfo[]): readonly ValueInfo[] =>
  wanted.some(({ name }) => name === IDS.name) ? wanted : [...wanted, IDS];

const padToken = ({ padId, wordOf, specialIds }: Tokenizer): RowToken => ({
  id: padId,
  text: wordOf(padId),
  ...(specialIds.has(padId) && { special: true }),
});

/** The integers of a batch of one example. */
const integersOf = (feeds: HostTensors, name: string): number[] =>
  Array.from(feeds[name]!.data as ArrayLike<number | bigint>, Number);

/** @param counting false for a row in which nothing counts, whatever its answers are */
function tokensOf(
  { kind, rows: { tokenizer, outputs } }: Made,
  feeds: HostTensors,
  size: number,
  counting: boolean,
  loss: TrainingLoss | undefined,
): RowToken[] {
  const ids = integersOf(feeds, IDS.name).slice(0, size);
  const marks = counting ? countedIn(kind, feeds) : undefined;
  const texts = tokenTexts(ids, (part) => tokenizer.decodeAll(part));
  return ids.map((id, i): RowToken => {
    const answer = marks?.(i);
    const weight = answer === undefined ? 1 : (loss?.classWeights?.[answer] ?? 1);
    return {
      id,
      ...(texts[i] !== undefined && { text: texts[i] }),
      ...(tokenizer.specialIds.has(id) && { special: true }),
      ...(answer !== undefined && { counts: true, ...answerOf(kind, answer, id, tokenizer, outputs.labels) }),
      ...(weight !== 1 && { weight }),
    };
  });
}

/** The label of each position that counts in the loss, from the tensor that the loss reads. */
function countedIn(kind: TaskKind, feeds: HostTensors): (position: number) => number | undefined {
  const { ahead = 0 } = OBJECTIVES[kind.objective];
  const labels = integersOf(feeds, LABELS);
  return (i) => (i >= ahead && labels[i] !== IGNORE_LABEL ? labels[i] : undefined);
}

/** The answer in the place of a token, unless it is the token. */
function answerOf(
  { objective, classes }: TaskKind,
  answer: number,
  id: number,
  tokenizer: Tokenizer,
  labels: readonly string[],
): Pick<RowToken, 'label'> {
  if (classes) return { label: labels[answer]! };
  return OBJECTIVES[objective].ahead === 0 && answer !== id ? { label: tokenizer.wordOf(answer) } : {};
}

/** The answer to an example as a whole, in words, from the tensor that the loss reads. */
function wholeAnswer(
  { kind, rows, found: { split, index } }: Made,
  feeds: HostTensors,
  loss: TrainingLoss | undefined,
): Pick<TokenRow, 'label' | 'weight'> {
  const { labels } = rows.outputs;
  const answers = integersOf(feeds, LABELS);
  if (kind.classes) {
    const weight = loss?.classWeights?.[answers[0]!] ?? 1;
    return { label: labels[answers[0]!]!, ...(weight !== 1 && { weight }) };
  }
  // The loss reads a scaled number: the data's own is the one that a person knows.
  if (OBJECTIVES[kind.objective].labels.rank === 1)
    return { label: rows.splits[split].rows.at(index)!.label };
  return { label: labels.filter((_, l) => answers[l] === 1).join(', ') };
}

/** The tokens that truncation removes, each with whether it would count if model.maxLength were larger. */
function cutOf(made: Made, perToken: boolean): { cut: CutTokens[]; more: boolean } {
  const { kind, rows, found, example } = made;
  if (!example.truncated) return { cut: [], more: false };
  const whole = rows.exampleAt(found.split, found.index, made.spec.model.maxLength + MOST_CUT);
  const ids = rows.ownTokens(whole);
  const length = whole.ids.length;
  const known = perToken && whole.size > 0 && !kind.varies(made.spec);
  const marks = known ? countedIn(kind, { [LABELS]: kind.expected([whole], length) }) : () => undefined;
  const cut = cutRuns(ids, rows.ownTokens(example)).map(({ start, at, count }): CutTokens => {
    const places = Array.from({ length: count }, (_, i) => start + i);
    const shown = places.slice(0, SHOWN_CUT);
    const texts = tokenTexts(
      shown.map((i) => ids[i]!),
      (part) => rows.tokenizer.decodeAll(part),
    );
    return {
      at,
      count,
      counting: places.filter((i) => marks(i) !== undefined).length,
      tokens: shown.map((i, n) => ({
        id: ids[i]!,
        ...(texts[n] !== undefined && { text: texts[n] }),
        ...(marks(i) !== undefined && { counts: true }),
        ...(rows.tokenizer.specialIds.has(ids[i]!) && { special: true }),
      })),
    };
  });
  return { cut, more: whole.truncated === true };
}
