import type { Draw } from './draw';

/** Something a campaign found that should never happen. */
export class Unclean extends Error {}

/** One kind of fault, injected trial by trial. */
export interface Campaign {
  name: string;
  /** Trials in the slice that `npm test` runs. */
  slice: number;
  /** What the machine lacks for it, such as root for a small disk; undefined if nothing. */
  lacks?: () => string | undefined;
  /** Called once, before the first trial. */
  prepare?: () => void;
  /**
   * Injects one fault, drawn from the trial's seed, in `folder`, which is empty and kept if the trial fails.
   *
   * @returns what was done, in a few words, for the tally
   * @throws Unclean if the outcome is not clean
   */
  trial(draw: Draw, folder: string): string | Promise<string>;
}

export function clean(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Unclean(what);
}
