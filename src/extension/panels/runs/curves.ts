import type { RunToPage } from '../../../protocol/panels/run';
import { RunFeed, type Known } from '../run/feed';

/** Follows the curves of some runs, each on its own, so that checking one more does not read the others again. */
export class Curves {
  private readonly feeds = new Map<string, RunFeed>();
  private visible = false;

  /** @param known the table's facts about a run: its curves have its name */
  constructor(
    private readonly post: (message: RunToPage) => void,
    private readonly known: (folder: string) => Known | undefined,
  ) {}

  set(runs: readonly string[]): void {
    for (const [run, feed] of this.feeds)
      if (!runs.includes(run)) {
        feed.dispose();
        this.feeds.delete(run);
      }
    for (const run of runs) {
      if (this.feeds.has(run)) continue;
      const feed = new RunFeed([run], this.post, undefined, this.known);
      this.feeds.set(run, feed);
      if (this.visible) feed.snapshot();
    }
  }

  /** Sends everything of a run. */
  again(run: string): void {
    this.feeds.get(run)?.snapshot();
  }

  show(): void {
    this.visible = true;
    for (const feed of this.feeds.values()) feed.snapshot();
  }

  hide(): void {
    this.visible = false;
    for (const feed of this.feeds.values()) feed.hide();
  }

  dispose(): void {
    for (const feed of this.feeds.values()) feed.dispose();
    this.feeds.clear();
  }
}
