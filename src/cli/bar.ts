import { basename } from 'node:path';
import { escapeControls } from '../base/escape';
import { bytes, count, durationText, progressPercent } from '../base/number-text';
import type { ReadProgress } from '../data/stream/build-index';
import { asControl, isScreen } from './output';

const WIDTH = 24;

/** The shortest time between two redraws of a line of progress in a terminal, and between two lines in a log. */
export const REDRAW_MS = 100;
export const LOG_MS = 10_000;

/** A share from 0 to 1 as a bar with a number. */
export function bar(share: number): string {
  const filled = Math.round(share * WIDTH);
  return `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${progressPercent(share, 1).padStart(5)}`;
}

/** Replaces the current line of a terminal. */
export function redraw(out: NodeJS.WriteStream, text: string): void {
  const line = escapeControls(text).slice(0, (out.columns || 120) - 1);
  asControl(() => out.write(`\r${line}\x1b[K`));
}

/** Clears the current line of a terminal. */
export const clearLine = (out: NodeJS.WriteStream): boolean => asControl(() => out.write('\r\x1b[K'));

/** A line while something large is read or computed, once: redrawn in place in a terminal, repeated from time to time in a log. */
export class ReadingProgress {
  private began = performance.now();
  private drawn = -Infinity;
  private onScreen = false;

  constructor(private readonly out: NodeJS.WriteStream = process.stderr) {}

  show({ path, done, of, unit }: ReadProgress): void {
    const name = basename(path);
    const what =
      unit === 'bytes'
        ? `reading ${name} once, ${bytes(of)}`
        : `tokenizing ${name}, ${count(done)} of ${count(of)} rows`;
    // Most data are tokenized before there is something to say.
    if (unit === 'rows' && done === 0) this.drawn = performance.now();
    this.line(what, done, of);
  }

  /** @param of images and prompts, those of each encoder apart */
  encoding(done: number, of: number): void {
    this.line('encoding images and prompts once', done, of);
  }

  starting(initialization: string, share: number): void {
    this.line(`computing the initial adapters (${initialization})`, share, 1);
  }

  writing(done: number, of: number): void {
    this.line(`writing answers, ${count(done)} of ${count(of)}`, done, of);
  }

  /** @param of training tokens */
  fitting(done: number, of: number): void {
    this.line(`fitting the nonlinearity, ${count(of)} training tokens`, done, of);
  }

  /** @param of modules */
  combining(done: number, of: number): void {
    this.line('combining the modules', done, of);
  }

  private line(what: string, done: number, of: number): void {
    const now = performance.now();
    if (done === 0) this.began = now;
    if (done >= of) this.clear();
    if (done >= of || now - this.drawn < (isScreen(this.out) ? REDRAW_MS : LOG_MS)) return;
    this.drawn = now;
    const share = done / of;
    const left = share > 0 && `${durationText(((now - this.began) * (1 / share - 1)) / 1000)} left`;
    const parts = [
      isScreen(this.out) ? bar(share) : progressPercent(share, 1),
      what,
      ...(left ? [left] : []),
    ];
    const text = parts.join(' · ');
    this.onScreen = isScreen(this.out);
    if (this.onScreen) redraw(this.out, text);
    else this.out.write(`${text}\n`);
  }

  clear(): void {
    if (this.onScreen) clearLine(this.out);
    this.onScreen = false;
  }
}
