import type { Audited } from '../audit';
import { MadeList } from '../list';
import type { Row } from '../table/rows';
import type { RecordFile } from './record-file';

/** Some rows of a large file, each read when it is asked for. */
export class StreamedRows<R extends Row> extends MadeList<R> {
  /** @param places of the rows in the file's index */
  constructor(
    readonly file: RecordFile<R>,
    readonly places: Uint32Array,
  ) {
    super();
  }

  static all<R extends Row>(file: RecordFile<R>): StreamedRows<R> {
    return new StreamedRows(
      file,
      Uint32Array.from({ length: file.index.columns.lines.length }, (_, i) => i),
    );
  }

  get length(): number {
    return this.places.length;
  }

  at(index: number): R | undefined {
    const place = this.places[index];
    return place === undefined ? undefined : this.file.row(place);
  }

  /** Each without its texts, which takes no reading. */
  get marked(): Iterable<R> {
    const { file, places } = this;
    return {
      *[Symbol.iterator]() {
        for (const place of places) yield file.marked(place);
      },
    };
  }

  pick(indices: ArrayLike<number>): StreamedRows<R> {
    return new StreamedRows(
      this.file,
      Uint32Array.from(indices, (i) => this.places[i]!),
    );
  }

  lineOf(index: number): number {
    return this.file.index.columns.lines[this.places[index]!]!;
  }

  get audited(): Audited {
    const { keys, answers } = this.file.index.columns;
    const own = new Uint32Array(2 * this.length);
    this.places.forEach((place, i) => own.set(keys.subarray(2 * place, 2 * place + 2), 2 * i));
    return {
      length: this.length,
      keys: own,
      answers: this.places.map((place) => answers[place]!),
      line: (row) => this.lineOf(row),
      label: (row) => this.at(row)!.label,
    };
  }
}
