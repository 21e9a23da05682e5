import { basename } from 'node:path';
import type { ReadProgress } from '../data/stream/build';
import { bar, LOG_MS, REDRAW_MS, redraw, clearLine } from './bar';
import { isScreen } from './terminal';
import { bytes, count, durationText, progressPercent } from '../base/number-text';

/** A line while something large is read, once: redrawn in place in a terminal, repeated from time to time in a log. */
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
