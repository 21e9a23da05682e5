import { audited, findDuplicates, sharedRows, tokenLengths } from '../../data/audit';
import { type Dataset, sizesOf } from '../../data/dataset';
import { epochOrder } from '../../data/row-order';
import { NOTHING_LEFT } from '../../data/table/bad-rows';
import type { Experiment } from '../../experiment/experiment';
import type { PreflightData, PreflightPacking, PreflightSet, PreflightSplit } from '../../protocol/preflight';
import type { TaskKind } from '../../tasks/kind';
import { taskKind } from '../../tasks/task-registry';
import type { DataSplit, TaskData } from '../../tasks/task-data';
import { paddedTokens } from '../loop/sample';
import type { EvaluationData } from '../task/evaluation-data';
import { balanceProblems } from './preflight-problems';

/** Counts of the training and validation data, and of the sets that the best adapter is scored on. */
export function dataLine(
  kind: TaskKind,
  data: TaskData,
  sets: readonly EvaluationData[] = [],
): PreflightData {
  const { train, validation, labels } = data;
  const split = ({ path, dataset, skipped, quotes, parts }: DataSplit): PreflightSplit => ({
    path,
    ...(parts && { parts: [...parts] }),
    examples: dataset.examples.length,
    ...countedFacts(kind.facts(dataset.examples, data), skipped),
    tokens: tokenLengths(dataset),
    truncated: dataset.truncatedCount,
    badRows: {
      count: skipped.length,
      first: skipped.slice(0, 5).map(({ line, reason }) => ({ line, reason })),
    },
    quotes,
  });
  // Keys of images are made of their content, so they are made once.
  const splits = [train, validation, ...sets.map((s) => s.data.validation)];
  const keyOf = kind.inputKeys?.(splits.map((s) => s.rows));
  const trained = audited(train.rows, keyOf);
  // Training rows that are measured on purpose are not an accident.
  const measuresTraining = validation.rows === train.rows;
  const chosen = audited(measuresTraining ? [] : validation.rows, keyOf);
  const setLine = ({ set, data: { validation: own } }: EvaluationData): PreflightSet => {
    const rows = audited(own.rows, keyOf);
    return {
      name: set.name,
      key: set.key.join('.'),
      ...split(own),
      inTrain: sharedRows(rows, trained),
      inValidation: sharedRows(rows, chosen),
    };
  };
  return {
    kind: 'data',
    train: split(train),
    validation: split(validation),
    labels: [...labels],
    ...(measuresTraining && { measuresTraining }),
    duplicates: findDuplicates(trained, chosen),
    ...(sets.length > 0 && { sets: sets.map(setLine) }),
  };
}

/** With the rows in which nothing counts, where single tokens do. */
const countedFacts = (
  facts: ReturnType<TaskKind['facts']>,
  skipped: DataSplit['skipped'],
): ReturnType<TaskKind['facts']> & Pick<PreflightSplit, 'withoutTargets'> =>
  facts.targets === undefined
    ? facts
    : { ...facts, withoutTargets: skipped.filter(({ reason }) => reason === NOTHING_LEFT).length };

/** The effect of training.packing on the training data; undefined without it. */
export function packingLine(
  kind: TaskKind,
  { train: { dataset } }: TaskData,
  spec: Experiment,
): PreflightPacking | undefined {
  if (!spec.training.packing) return undefined;
  const rows = kind.pack!(dataset, spec);
  const padding = (set: Dataset) => {
    const positions = paddedTokens(set, epochOrder(set, { ...spec.training, epoch: 0 }));
    return 1 - Array.from(sizesOf(set)).reduce((a, b) => a + b, 0) / positions;
  };
  return { rows: rows.examples.length, padding: padding(rows), paddingApart: padding(dataset) };
}

/**
 * The warnings that every run reports about its data before its first step, as a preflight would: one pass over the
 * texts.
 */
export const dataWarnings = (spec: Experiment, data: TaskData, sets: readonly EvaluationData[]): string[] =>
  balanceProblems(spec, dataLine(taskKind(spec.task), data, sets)).map(({ message, hint }) =>
    hint ? `${message} ${hint}` : message,
  );
