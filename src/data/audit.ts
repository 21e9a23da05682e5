/**
 * Measures data for preflight: labels, numbers, lengths in tokens, and inputs that occur twice. An input in both splits
 * makes the metrics too optimistic, and one with two labels cannot be learned. Inputs are the same if a tokenizer most
 * likely reads them the same, so white space is normalized; case is not. Rows are compared by hashes, because the data
 * may be larger than memory.
 *
 * A new measurement belongs here, with its field in `protocol/preflight`; `training/preflight/preflight-problems` decides when it
 * is a problem, and words it.
 */

import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type {
  NumberFacts,
  PreflightDuplicates,
  PreflightShared,
  PreflightSplit,
} from '../protocol/preflight';
import { type Dataset, sizesOf } from './dataset';
import type { List } from './list';
import type { Row } from './table/rows';

/** The number of places that each finding shows. */
const SHOWN = 3;

/** White space other than one space: most texts have none, and are then not copied. */
const UNEVEN = /\s{2,}|[^\S ]/g;

/** Texts that differ in white space alone are the same to most tokenizers. */
const normalized = (text: string): string => text.trim().replace(UNEVEN, ' ');

/** Both texts of a pair, and the choices of a question: normalized texts contain no line break. */
export const inputOf = ({ text, pair, choices = [] }: Row): string =>
  [text, ...(pair === undefined ? [] : [pair]), ...choices].map(normalized).join('\n');

/**
 * The number of occurrences of each label; 0 for a label that does not occur.
 *
 * @param classes indices into `labels`
 */
export function labelCounts(classes: Iterable<number>, labels: readonly string[]): Record<string, number> {
  const counts = new Array<number>(labels.length).fill(0);
  for (const label of classes) counts[label]!++;
  return Object.fromEntries(labels.map((label, i) => [label, counts[i]!]));
}

/** The distribution of numbers. @param values at least one */
export function numberFacts(values: Iterable<number>): NumberFacts {
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

/** Tokens per text as the model gets it; a quantile is the smallest length that so large a share does not exceed. */
export function tokenLengths(dataset: Dataset): PreflightSplit['tokens'] {
  const lengths = Int32Array.from(sizesOf(dataset)).sort();
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

/** A few bytes for each row, enough to find rows with equal inputs. */
export interface Audited {
  readonly length: number;
  /** Two numbers of 32 bits for each row's input: equal for equal inputs, and different for almost all others. */
  readonly keys: Uint32Array;
  /** A number of this kind for each row's label. */
  readonly answers: Uint32Array;
  line(row: number): number;
  label(row: number): string;
}

/**
 * Reads all rows that are not on disk.
 *
 * @param keyOf the same for rows with equal inputs; that of their texts by default
 */
export function audited(
  rows: List<Row> & { readonly audited?: Audited },
  keyOf: (row: Row) => string = inputOf,
): Audited {
  if (rows.audited) return rows.audited;
  const keys = new Uint32Array(2 * rows.length);
  const answers = new Uint32Array(rows.length);
  let at = 0;
  for (const row of rows) {
    keys.set(inputKey(keyOf(row)), 2 * at);
    answers[at++] = crc32(row.label);
  }
  return {
    length: rows.length,
    keys,
    answers,
    line: (row) => rows.at(row)!.line,
    label: (row) => rows.at(row)!.label,
  };
}

/** 64 bits of its SHA-256: two of ten million different inputs have the same with a probability of 3 in a million. */
export function inputKey(input: string): [number, number] {
  const bytes = hash('sha256', input, 'buffer');
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
}

/** Equal inputs within the training rows and across the two splits. */
export function findDuplicates(train: Audited, validation: Audited): PreflightDuplicates {
  const first = new KeyTable(train.keys);
  const conflicting = new Set<number>();
  const conflicts: PreflightDuplicates['conflicts']['first'] = [];
  let withinTrain = 0;
  for (let row = 0; row < train.length; row++) {
    const before = first.add(row);
    if (before === row) continue;
    withinTrain++;
    if (train.answers[before] === train.answers[row] || conflicting.has(before)) continue;
    conflicting.add(before);
    if (conflicts.length < SHOWN)
      conflicts.push({
        lines: [train.line(before), train.line(row)],
        labels: [train.label(before), train.label(row)],
      });
  }
  const across = shared(validation, train, first);
  return {
    acrossSplits: {
      count: across.count,
      first: across.first.map(({ line, other }) => ({ train: other, validation: line })),
    },
    withinTrain,
    conflicts: { count: conflicting.size, first: conflicts },
  };
}

/** Rows whose input is also in other data. */
export function sharedRows(rows: Audited, others: Audited): PreflightShared {
  const first = new KeyTable(others.keys);
  for (let row = 0; row < others.length; row++) first.add(row);
  return shared(rows, others, first);
}

function shared(rows: Audited, others: Audited, first: KeyTable): PreflightShared {
  const found: PreflightShared = { count: 0, first: [] };
  for (let row = 0; row < rows.length; row++) {
    const other = first.find(rows.keys[2 * row]!, rows.keys[2 * row + 1]!);
    if (other === undefined) continue;
    found.count++;
    if (found.first.length < SHOWN) found.first.push({ line: rows.line(row), other: others.line(other) });
  }
  return found;
}

/**
 * The first row with each key, in a hash table of four bytes for each of its places: a Map of so many rows would take
 * more memory than their texts.
 */
class KeyTable {
  /** Row numbers plus one; 0 for a free place. At most half of the places are taken. */
  private readonly places: Uint32Array;
  private readonly mask: number;

  /** @param keys of each row two numbers of 32 bits, evenly distributed */
  constructor(private readonly keys: Uint32Array) {
    let size = 16;
    while (size < keys.length) size *= 2;
    this.places = new Uint32Array(size);
    this.mask = size - 1;
  }

  /** @returns the first row with the key of this one: itself if there was none */
  add(row: number): number {
    const place = this.placeOf(this.keys[2 * row]!, this.keys[2 * row + 1]!);
    return (this.places[place] ||= row + 1) - 1;
  }

  find(low: number, high: number): number | undefined {
    const taken = this.places[this.placeOf(low, high)]!;
    return taken === 0 ? undefined : taken - 1;
  }

  /** The place of the key, or the place where it could be put. */
  private placeOf(low: number, high: number): number {
    let place = low & this.mask;
    for (;;) {
      const taken = this.places[place]!;
      if (taken === 0) return place;
      const at = 2 * (taken - 1);
      if (this.keys[at] === low && this.keys[at + 1] === high) return place;
      place = (place + 1) & this.mask;
    }
  }
}
