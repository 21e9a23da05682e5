import type { Draw } from './draw';

/** An outcome that should never happen. */
export class Unclean extends Error {}

/** One kind of fault, injected in trial after trial. */
export interface Campaign {
  name: string;
  /** Number of trials with --slice, which `test/cli/soak.test.ts` uses. */
  slice: number;
  /** A requirement that the machine lacks, such as root for a small disk, or undefined. */
  lacks?: () => string | undefined;
  /** Called once, before the first trial. */
  prepare?: () => void;
  /**
   * Injects one fault, drawn from the trial's seed, into `folder`, which is empty and kept if the trial
   * fails.
   *
   * @returns what was done, in a few words, for the tally
   * @throws Unclean if the outcome is not clean
   */
  trial(draw: Draw, folder: string): string | Promise<string>;
}

export function clean(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Unclean(what);
}
