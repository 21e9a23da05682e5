import { setTimeout as wait } from 'node:timers/promises';

/** Typing has paused. */
export const PAUSE_MS = 350;

/** Searches for the last input: after a pause, and an earlier search is given up. */
export class LastQuery<T> {
  private current: AbortController | undefined;

  constructor(
    private readonly search: (text: string, signal: AbortSignal) => Promise<T>,
    private readonly pause = PAUSE_MS,
  ) {}

  /** Undefined if another query followed in between. Rejects as the search does. */
  async ask(text: string): Promise<T | undefined> {
    this.cancel();
    const mine = (this.current = new AbortController());
    try {
      await wait(this.pause, undefined, { signal: mine.signal });
      const found = await this.search(text, mine.signal);
      return mine.signal.aborted ? undefined : found;
    } catch (e) {
      if (mine.signal.aborted) return undefined;
      throw e;
    }
  }

  cancel(): void {
    this.current?.abort();
    this.current = undefined;
  }
}
