import type { Draw } from '../draw';
import type { Subject } from '../subjects';

/** The lies of a format: each writes its file into an empty folder. */
export interface Lies {
  name: string;
  lies: Record<string, (draw: Draw, folder: string) => void>;
  /** Each may fail with an AuroraError of bounded length, and with nothing else. */
  readers: Subject['readers'];
}

/** Sizes, counts and offsets that no small file explains. */
export const HUGE = [
  2 ** 16 + 1,
  1e6,
  2 ** 24,
  2 ** 28,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 40,
  Number.MAX_SAFE_INTEGER,
  2 ** 62,
];

/** Numbers that are no size at all. */
export const ODD = [-1, -(2 ** 31), 0, 0.5, 1e308, -1e308];

export const deep = (open: string, close: string, middle: string, depth: number): string =>
  open.repeat(depth) + middle + close.repeat(depth);
