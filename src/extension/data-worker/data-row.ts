import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { AuroraError } from '../../base/errors';
import { rowWord } from '../../protocol/row-place';
import { count } from '../../base/number-text';

/** Size up to which the editor opens plain text normally; larger files open slowly and with fewer features. */
const OPENS_WELL_BYTES = 20 * 2 ** 20;

/** Limits for one row; a quoted field of a CSV may have many lines. */
const MOST_LINES = 200;
const MOST_ROW_BYTES = 2 ** 20;

/**
 * The number of bytes in which a row of a file is searched, after decompression: a small .gz can contain any number of
 * bytes.
 */
const MOST_TEXT_BYTES = 2 ** 31;

/** True if the file itself can be opened at the line; otherwise only its row is shown. */
export async function opensWell(file: string): Promise<boolean> {
  if (/\.gz$/i.test(file) || rowWord(file) !== 'line') return false;
  const { size } = await stat(file).catch((cause) => {
    throw unreadable(file, cause);
  });
  return size <= OPENS_WELL_BYTES;
}

/**
 * A row of a data file (also `.gz`), formatted for reading: multi-line JSON, or a CSV row with its header. Reads up to
 * the row, and keeps nothing else. The extension host calls `askForRow`, which runs this in another process.
 *
 * @param line the first line of the row, one-based
 * @param limits of a row, and of how far the file's text is read
 * @throws AuroraError 'data' if the row does not exist, is too long or is too far into the file
 */
export async function readDataRow(
  file: string,
  line: number,
  limits = { row: MOST_ROW_BYTES, text: MOST_TEXT_BYTES },
): Promise<string> {
  const json = /\.(jsonl|ndjson)(\.gz)?$/i.test(file);
  const row = new Row(line, json, /\.tsv(\.gz)?$/i.test(file), limits.row);
  try {
    await scan(file, row, limits.text);
  } catch (cause) {
    if (cause instanceof AuroraError) throw cause;
    if (row.lines.length === 0) throw unreadable(file, cause);
  }
  if (row.tooLong !== undefined)
    throw new AuroraError(
      'data',
      `Line ${row.tooLong} of ${file} is longer than ${count(limits.row)} bytes and is not shown.`,
      inTerminal(file, row.tooLong),
    );
  if (row.lines.length === 0)
    throw new AuroraError(
      'data',
      `${file} has no line ${line}.`,
      'The file was shortened after the run was made. Restore the original file to see this row.',
    );
  // Without a header, the first line is a row itself.
  return json ? layOut(row.lines[0]) : (line === 1 ? row.lines : [row.header, ...row.lines]).join('\n');
}

/** Collects the lines of a row; of all other rows it only counts the line ends. */
class Row {
  header = '';
  readonly lines: string[] = [];
  /** The line that exceeds the maximum row size. */
  tooLong: number | undefined;
  done = false;
  private at = 1;
  private quotes = 0;
  private parts: Buffer[] = [];
  private size = 0;

  constructor(
    private readonly line: number,
    private readonly json: boolean,
    private readonly tsv: boolean,
    private readonly most: number,
  ) {}

  take(chunk: Buffer): void {
    for (let from = 0; !this.done;) {
      const end = chunk.indexOf(0x0a, from);
      this.add(chunk.subarray(from, end < 0 ? chunk.length : end));
      if (end < 0) return;
      this.endLine();
      from = end + 1;
    }
  }

  /** The last line of a file may have no line end. */
  end(): void {
    if (this.parts.length > 0 && !this.done) this.endLine();
  }

  private add(part: Buffer): void {
    const isHeader = this.at === 1 && !this.json;
    if (part.length === 0 || !(isHeader || this.at >= this.line)) return;
    this.size += part.length;
    this.parts.push(part);
    if (this.size <= this.most) return;
    this.tooLong = this.at;
    this.done = true;
  }

  private endLine(): void {
    const text = Buffer.concat(this.parts)
      .toString('utf8')
      .replace(/\r$/, '')
      .replace(this.at === 1 ? /^\ufeff/ : /(?!)/, '');
    this.parts = [];
    if (this.at === 1) this.header = text;
    // The lines of one row count together.
    if (this.at < this.line) this.size = 0;
    else {
      this.lines.push(text);
      this.quotes += text.split('"').length - 1;
      // A quote that is open at the end of a line is closed in a later one, unless the line of a TSV file has all columns:
      // then its quotes are part of the texts.
      const whole = this.tsv && tabs(text) === tabs(this.header);
      this.done = this.json || whole || this.quotes % 2 === 0 || this.lines.length >= MOST_LINES;
    }
    this.at++;
  }
}

const tabs = (text: string): number => text.split('\t').length;

/** Passes the file's text to `row` until it has enough. Throws the streams' errors. */
async function scan(file: string, row: Row, most: number): Promise<void> {
  // A pipeline reports its own end before it reports a missing file; a pipe or a device may never end.
  if (!(await stat(file)).isFile()) throw new Error('it is not a regular file');
  const stored = createReadStream(file);
  // The iteration throws the error.
  const plain = /\.gz$/i.test(file) ? pipeline(stored, createGunzip(), () => {}) : stored;
  let read = 0;
  for await (const chunk of plain) {
    row.take(chunk as Buffer);
    if (row.done) return;
    read += (chunk as Buffer).length;
    if (read > most)
      throw new AuroraError(
        'data',
        `The row is not within the first ${count(most)} bytes of ${file}.`,
        'Read it in a terminal, or train on a smaller file.',
      );
  }
  row.end();
}

function layOut(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

const inTerminal = (file: string, line: number): string =>
  `Read it in a terminal, for example with \`${/\.gz$/i.test(file) ? 'zcat' : 'cat'} FILE | sed -n ${line}p\`.`;

const unreadable = (file: string, cause: unknown): AuroraError =>
  new AuroraError(
    'data',
    (cause as NodeJS.ErrnoException).code === 'ENOENT'
      ? `The data file ${file} does not exist.`
      : `${file} cannot be read: ${(cause as Error).message}.`,
    'It was moved, removed or changed after the run was made. Restore the original file to see this row.',
    { cause },
  );
