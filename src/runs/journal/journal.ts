import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { diskError, readAll, writeAtomic } from '../../files/atomic';
import { requireOwned, writerOf } from '../../files/fence';
import { EVENT_VERSION, type EventBase, type NewEvent, type RunEvent } from '../../protocol/events';
import { parseJournal, wholeLines } from './journal-reader';
import { runPaths } from '../layout';

/** Appends to a run's events.jsonl. Events are rare, so each is flushed to disk before `append` returns. */
export class Journal {
  private constructor(
    private readonly path: string,
    private readonly fd: number,
    private seq: number,
    private writer: Pick<EventBase, 'w' | 'after'>,
  ) {}

  /** Opens or creates the journal. Removes a last line that a crash left unfinished. */
  static open(path: string): Journal {
    requireOwned(path);
    try {
      const fd = openSync(path, 'a+');
      const bytes = readFileSync(fd);
      const end = wholeLines(bytes);
      if (end < bytes.length) ftruncateSync(fd, end);
      return new Journal(path, fd, parseJournal(bytes, path).length, writerFields(path));
    } catch (e) {
      throw diskError(path, e);
    }
  }

  append(event: NewEvent): RunEvent {
    requireOwned(this.path);
    const whole = this.numbered(event, this.seq);
    const line = Buffer.from(lineOf(whole));
    const end = fstatSync(this.fd).size;
    try {
      // A single write for each line: a concurrent reader sees the whole line or a torn last line.
      for (let done = 0; done < line.length;) done += writeSync(this.fd, line, done);
      fsyncSync(this.fd);
    } catch (e) {
      // The part of the line that a full disk accepted must not precede the next line.
      ftruncateSync(this.fd, end);
      throw diskError(this.path, e);
    }
    this.seq++;
    delete this.writer.after;
    return whole;
  }

  /** The whole journal, even if the file has been deleted, followed by lines that are not written to the file. */
  content(more: readonly NewEvent[] = []): Buffer {
    const lines = more.map((event, i) => Buffer.from(lineOf(this.numbered(event, this.seq + i))));
    return Buffer.concat([readAll(this.fd), ...lines]);
  }

  private numbered(event: NewEvent, seq: number): RunEvent {
    return { v: EVENT_VERSION, seq, t: Date.now(), ...this.writer, ...event } as RunEvent;
  }

  close(): void {
    closeSync(this.fd);
  }
}

const lineOf = (event: RunEvent): string => `${JSON.stringify(event)}\n`;

/** Enough of a nonce to distinguish a run's few owners. */
const short = (nonce: string): string => nonce.slice(0, 8);

function writerFields(path: string): Pick<EventBase, 'w' | 'after'> {
  const writer = writerOf(path);
  return {
    ...(writer && { w: short(writer.nonce) }),
    ...(writer?.over !== undefined && { after: short(writer.over) }),
  };
}

export interface JournalLine {
  event: NewEvent;
  /** Milliseconds since 1970; now by default. */
  t?: number;
}

/** Writes the whole journal of a run that is created without training. */
export function writeJournal(run: string, lines: readonly JournalLine[]): void {
  const text = lines.map(
    ({ event, t }, seq) => `${JSON.stringify({ ...event, v: EVENT_VERSION, seq, t: t ?? Date.now() })}\n`,
  );
  writeAtomic(runPaths(run).events, text.join(''), run);
}
