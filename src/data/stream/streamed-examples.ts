import { createHash } from 'node:crypto';
import type { DataSpec } from '../../experiment/experiment';
import {
  type Answered,
  type Dataset,
  emptyReason,
  type Example,
  type Examples,
  type TextDataset,
  type TextExample,
} from '../dataset';
import { MadeList } from '../list';
import { refuseBadRows } from '../table/bad-rows';
import { requireRows, type Row, type SkippedRow } from '../table/rows';
import type { StreamedRows } from './record-file';
import { type IndexColumns, NO_TOKENS, TRUNCATED } from './row-index';

/** Examples that are kept: those of a few batches, which are asked for several times. */
const KEPT = 2048;

/** The conversion of a large file's rows to examples. */
interface Making<R extends Row, E extends Example> {
  /** @param row its index in the rows */
  exampleAt(row: number): E;
  /** The answer of a row, from its marks alone; left out where that takes its text. */
  answerOf?(row: R): Omit<Answered<E>, keyof Example>;
}

/** The conversion of texts to examples. */
export interface Encoding<R extends Row, E extends TextExample> {
  exampleOf(row: R, index: number): E;
  /** The answer of a row, from its marks alone; left out where that takes its text. */
  answerOf?(row: R): Omit<E, keyof TextExample>;
}

/** The examples of a large file, each made when it is asked for. */
class StreamedExamples<R extends Row, E extends Example> extends MadeList<E> implements Examples<E> {
  readonly sizes: Uint32Array;
  private readonly recent = new Map<number, E>();

  /** @param indices of those rows that are examples */
  constructor(
    private readonly rows: StreamedRows<R>,
    private readonly indices: Uint32Array,
    private readonly making: Making<R, E>,
  ) {
    super();
    this.sizes = this.column('sizes');
  }

  get length(): number {
    return this.indices.length;
  }

  at(index: number): E | undefined {
    const row = this.indices[index];
    if (row === undefined) return undefined;
    const known = this.recent.get(index);
    if (known) return known;
    const example = this.making.exampleAt(row);
    if (example.size !== this.sizes[index])
      throw new Error(`Row ${row} has ${example.size} tokens; its index says ${this.sizes[index]}`);
    // The first key is the oldest.
    if (this.recent.size >= KEPT) this.recent.delete(this.recent.keys().next().value!);
    this.recent.set(index, example);
    return example;
  }

  get answered(): Iterable<Answered<E>> {
    const { answerOf } = this.making;
    if (!answerOf) return this;
    const { rows, indices, sizes } = this;
    const { flags } = rows.file.index.columns;
    return {
      *[Symbol.iterator]() {
        for (const [i, row] of indices.entries()) {
          const place = rows.places[row]!;
          const truncated = (flags[place]! & TRUNCATED) > 0 && ({ truncated: true } as const);
          const answer = answerOf(rows.file.marked(place));
          yield { size: sizes[i]!, row, ...truncated, ...answer } as unknown as Answered<E>;
        }
      },
    };
  }

  get counted(): Uint32Array | undefined {
    return this.rows.file.index.columns.counts.length > 0 ? this.column('counts') : undefined;
  }

  get digest(): string {
    const hash = createHash('sha256').update(this.rows.file.digest);
    return hash.update(this.indices.map((row) => this.rows.places[row]!)).digest('hex');
  }

  private column(name: 'sizes' | 'counts'): Uint32Array {
    const values = this.rows.file.index.columns[name];
    return this.indices.map((row) => values[this.rows.places[row]!]!);
  }
}

/**
 * The examples of those rows of a large file whose index says that they have a size, without reading anything.
 *
 * @param reasonOf why a row has none, by its flags
 */
export function streamedExamples<R extends Row, E extends Example>(
  rows: StreamedRows<R>,
  onBadRow: DataSpec['onBadRow'],
  reasonOf: (flags: number) => string,
  making: Making<R, E>,
): Dataset<E> {
  const { path, parts, index } = rows.file;
  const { sizes, flags, lines }: IndexColumns = index.columns;
  const skipped: SkippedRow[] = [];
  const kept = new Uint32Array(rows.length);
  let [length, truncatedCount] = [0, 0];
  rows.places.forEach((place, row) => {
    if (sizes[place] === 0) {
      skipped.push({ line: lines[place]!, reason: reasonOf(flags[place]!) });
      return;
    }
    kept[length++] = row;
    if (flags[place]! & TRUNCATED) truncatedCount++;
  });
  refuseBadRows(path, skipped, onBadRow, parts);
  requireRows(path, length, skipped, parts);
  return { examples: new StreamedExamples(rows, kept.slice(0, length), making), truncatedCount, skipped };
}

/** `makeDataset` without reading anything. */
export function streamedDataset<R extends Row, E extends TextExample>(
  rows: StreamedRows<R>,
  { padId, onBadRow }: { padId: number; onBadRow: DataSpec['onBadRow'] },
  { exampleOf, answerOf }: Encoding<R, E>,
): TextDataset<E> {
  const reasonOf = (flags: number) => emptyReason((flags & NO_TOKENS) > 0);
  const making = {
    exampleAt: (row: number) => exampleOf(rows.at(row)!, row),
    ...(answerOf && { answerOf: answerOf as Making<R, E>['answerOf'] }),
  };
  return { ...streamedExamples(rows, onBadRow, reasonOf, making), padId };
}
