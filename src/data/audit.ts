import type {
  NumberFacts,
  PreflightDuplicates,
  PreflightShared,
  PreflightSplit,
} from '../protocol/preflight';
import type { Dataset, Example } from './dataset';
import type { Row } from './table/rows';

/** Of each finding, so many are shown. */
const SHOWN = 3;

/** White space other than one space: most texts have none, and are then not copied. */
const UNEVEN = /\s{2,}|[^\S ]/g;

/** Texts that differ in white space alone are the same to most tokenizers. */
const normalized = (text: string): string => text.trim().replace(UNEVEN, ' ');

/** Both texts of a pair: a line break is none of either's characters. */
const inputOf = ({ text, pair }: Row): string =>
  pair === undefined ? normalized(text) : `${normalized(text)}\n${normalized(pair)}`;

/**
 * How often each label occurs; 0 for a label that does not.
 *
 * @param classes indices into `labels`
 */
export function labelCounts(classes: Iterable<number>, labels: readonly string[]): Record<string, number> {
  const counts = new Array<number>(labels.length).fill(0);
  for (const label of classes) counts[label]!++;
  return Object.fromEntries(labels.map((label, i) => [label, counts[i]!]));
}

/** How numbers are distributed. @param values at least one */
export function numberFacts(values: readonly number[]): NumberFacts {
  const sorted = Float64Array.from(values).sort();
  const mean = sorted.reduce((a, b) => a + b, 0) / sorted.length;
  const variance = sorted.reduce((sum, v) => sum + (v - mean) ** 2, 0) / sorted.length;
  const middle = (sorted.length - 1) / 2;
  return {
    min: sorted[0]!,
    median: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2,
    max: sorted.at(-1)!,
    mean,
    deviation: Math.sqrt(variance),
  };
}

/** Tokens a text as the model gets it; a quantile is the smallest length that so large a share does not exceed. */
export function tokenLengths({ examples }: Dataset<Example>): PreflightSplit['tokens'] {
  const lengths = Int32Array.from(examples, (e) => e.size).sort();
  const quantile = (share: number) => lengths[Math.max(0, Math.ceil(share * lengths.length) - 1)]!;
  return {
    min: lengths[0]!,
    median: quantile(0.5),
    mean: lengths.reduce((a, b) => a + b, 0) / lengths.length,
    p90: quantile(0.9),
    p99: quantile(0.99),
    max: lengths.at(-1)!,
  };
}

/**
 * Equal inputs within the training rows and across the two splits.
 *
 * @param keyOf the same for rows with equal inputs; that of their texts by default
 */
export function findDuplicates(
  train: readonly Row[],
  validation: readonly Row[],
  keyOf: (row: Row) => string = inputOf,
): PreflightDuplicates {
  const first = new Map<string, Row>();
  const conflicting = new Map<string, PreflightDuplicates['conflicts']['first'][number]>();
  let withinTrain = 0;
  for (const row of train) {
    const text = keyOf(row);
    const before = first.get(text);
    if (!before) {
      first.set(text, row);
      continue;
    }
    withinTrain++;
    if (before.label !== row.label && !conflicting.has(text))
      conflicting.set(text, { lines: [before.line, row.line], labels: [before.label, row.label] });
  }
  const across = validation.flatMap((row) => {
    const trained = first.get(keyOf(row));
    return trained ? [{ train: trained.line, validation: row.line }] : [];
  });
  return {
    acrossSplits: { count: across.length, first: across.slice(0, SHOWN) },
    withinTrain,
    conflicts: { count: conflicting.size, first: [...conflicting.values()].slice(0, SHOWN) },
  };
}

/** Rows whose input is also in other data. @param keyOf as in `findDuplicates` */
export function sharedRows(
  rows: readonly Row[],
  others: readonly Row[],
  keyOf: (row: Row) => string = inputOf,
): PreflightShared {
  const wanted = new Set(rows.map(keyOf));
  const lines = new Map<string, number>();
  for (const row of others) {
    const text = keyOf(row);
    if (wanted.has(text) && !lines.has(text)) lines.set(text, row.line);
  }
  const shared = rows.flatMap((row) => {
    const other = lines.get(keyOf(row));
    return other === undefined ? [] : [{ line: row.line, other }];
  });
  return { count: shared.length, first: shared.slice(0, SHOWN) };
}
