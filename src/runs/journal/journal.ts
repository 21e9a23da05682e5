import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { diskError, readAll, writeAtomic } from '../../files/atomic';
import { requireOwned, writerOf } from '../../files/fence';
import { EVENT_VERSION, type EventBase, type NewEvent, type RunEvent } from '../../protocol/events';
import { parseJournal, wholeLines } from './reader';
import { runPaths } from '../layout';

/** Appends to a run's events.jsonl. Each event is flushed to the disk before `append` returns: they are rare. */
export class Journal {
  private constructor(
    private readonly path: string,
    private readonly fd: number,
    private seq: number,
    private writer: Pick<EventBase, 'w' | 'after'>,
  ) {}

  /** Opens or creates the journal; a last line that a crash left unfinished is cut off first. */
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
      // One write a line: another process that reads meanwhile sees all of it or a torn last line.
      for (let done = 0; done < line.length;) done += writeSync(this.fd, line, done);
      fsyncSync(this.fd);
    } catch (e) {
      // What a full disk took of the line must not stand before the next one.
      ftruncateSync(this.fd, end);
      throw diskError(this.path, e);
    }
    this.seq++;
    delete this.writer.after;
    return whole;
  }

  /** All of it, also where the file's name is gone, with lines that the file itself does not get. */
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

/** Enough of a nonce to tell a run's few owners apart. */
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
  /** Milliseconds since 1970; now where it is left out. */
  t?: number;
}

/** The whole journal of a run that somebody makes without training it. */
export function writeJournal(run: string, lines: readonly JournalLine[]): void {
  const text = lines.map(
    ({ event, t }, seq) => `${JSON.stringify({ ...event, v: EVENT_VERSION, seq, t: t ?? Date.now() })}\n`,
  );
  writeAtomic(runPaths(run).events, text.join(''), run);
}
