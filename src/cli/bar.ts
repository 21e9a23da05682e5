import { escapeControls } from '../base/escape';
import { progressPercent } from '../base/number-text';
import { asControl } from './plain-output';

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
