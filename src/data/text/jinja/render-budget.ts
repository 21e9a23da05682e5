import { TemplateError } from './template-error';

/** Nodes evaluated and items visited in one rendering; a conversation of a hundred messages needs about 20,000. */
const MOST_STEPS = 5_000_000;

/** Characters and list items that one rendering may build, intermediate results included. */
const MOST_BUILT = 32_000_000;

/** Macros and recursive loops that may be open at once; Python stops at about three times as many. */
const MOST_CALLS = 100;

/** Counts the work of one rendering. Steps rather than seconds, so that a template fails on every machine or on none. */
export class Budget {
  private steps = 0;
  private built = 0;
  private calls = 0;

  step(count = 1): void {
    if ((this.steps += count) > MOST_STEPS)
      throw new TemplateError(
        `it takes more than ${MOST_STEPS.toLocaleString('en')} steps for one conversation`,
      );
  }

  /** Counts the cost of reading a value of this size. */
  read(size: number): void {
    this.step(size >> 6);
  }

  /** To be called before anything of this size is built. */
  build(size: number): void {
    this.read(size);
    if ((this.built += size) > MOST_BUILT)
      throw new TemplateError(
        `it builds more than ${MOST_BUILT.toLocaleString('en')} characters and list items for one conversation`,
      );
  }

  nested<T>(inside: () => T): T {
    if (++this.calls > MOST_CALLS)
      throw new TemplateError(`its macros and recursive loops are nested more than ${MOST_CALLS} deep`);
    try {
      return inside();
    } finally {
      this.calls--;
    }
  }
}
