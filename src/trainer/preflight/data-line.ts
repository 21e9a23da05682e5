import { findDuplicates, sharedRows, tokenLengths } from '../../data/audit';
import type { Row } from '../../data/table/rows';
import type { PreflightData, PreflightSet, PreflightSplit } from '../../protocol/preflight';
import type { TaskKind } from '../../tasks/kind';
import type { DataSplit, TaskData } from '../../tasks/task-data';
import type { EvaluationData } from '../task/evaluation-data';

/** Counts of the training and validation data, and of what the best adapter is scored on. */
export function dataLine(
  kind: TaskKind,
  data: TaskData,
  sets: readonly EvaluationData[] = [],
): PreflightData {
  const { train, validation, labels } = data;
  const split = ({ path, dataset, skipped, quotes }: DataSplit): PreflightSplit => ({
    path,
    examples: dataset.examples.length,
    ...kind.facts(dataset.examples, data),
    tokens: tokenLengths(dataset),
    truncated: dataset.truncatedCount,
    badRows: {
      count: skipped.length,
      first: skipped.slice(0, 5).map(({ line, reason }) => ({ line, reason })),
    },
    ...(quotes && { quotes }),
  });
  // Of images, keys are made of their content, so they are made once.
  const rows = [train, validation, ...sets.map((s) => s.data.validation)].flatMap((s) => s.rows);
  const keyOf = kind.inputKeys?.(rows);
  return {
    kind: 'data',
    train: split(train),
    validation: split(validation),
    labels: [...labels],
    duplicates: findDuplicates(train.rows, validation.rows, keyOf),
    ...(sets.length > 0 && { sets: sets.map((s) => setLine(s, data, split, keyOf)) }),
  };
}

function setLine(
  { set, data }: EvaluationData,
  { train, validation }: TaskData,
  split: (split: DataSplit) => PreflightSplit,
  keyOf: ((row: Row) => string) | undefined,
): PreflightSet {
  const { rows } = data.validation;
  const shared = (others: readonly Row[]) => sharedRows(rows, others, keyOf);
  return {
    ...(set.name !== undefined && { name: set.name }),
    key: set.key.join('.'),
    ...split(data.validation),
    inTrain: shared(train.rows),
    inValidation: shared(validation.rows),
  };
}
