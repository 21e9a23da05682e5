import { findDuplicates, tokenLengths } from '../../data/audit';
import type { PreflightData, PreflightSplit } from '../../protocol/preflight';
import type { TaskKind } from '../../tasks/kind';
import type { DataSplit, TaskData } from '../../tasks/task-data';

/** Counts of the training and validation data. */
export function dataLine(kind: TaskKind, data: TaskData): PreflightData {
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
  return {
    kind: 'data',
    train: split(train),
    validation: split(validation),
    labels: [...labels],
    duplicates: findDuplicates(
      train.rows,
      validation.rows,
      kind.inputKeys?.([...train.rows, ...validation.rows]),
    ),
  };
}
