import { findDuplicates, tokenLengths } from '../../data/audit';
import type { PreflightData, PreflightSplit } from '../../protocol/preflight';
import type { TaskKind } from '../../tasks/kind';
import type { DataSplit, TaskData } from '../../tasks/text-data';

/** Counts of the training and validation data. */
export function dataLine(kind: TaskKind, { train, validation, labels }: TaskData): PreflightData {
  const split = ({ path, dataset, skipped }: DataSplit): PreflightSplit => ({
    path,
    examples: dataset.examples.length,
    labels: kind.counts(dataset.examples, labels),
    tokens: tokenLengths(dataset),
    truncated: dataset.truncatedCount,
    badRows: {
      count: skipped.length,
      first: skipped.slice(0, 5).map(({ line, reason }) => ({ line, reason })),
    },
  });
  return {
    kind: 'data',
    train: split(train),
    validation: split(validation),
    labels,
    duplicates: findDuplicates(train.rows, validation.rows),
  };
}
