import type { RunToPage } from '../../../protocol/panels/run';
import { RecentLoss } from '../../../runs/curve/recent-loss';
import { isActive } from '../../runs/shown-state';
import type { RunEntry } from '../../runs/store';
import { type Known, RunFeed } from '../run/run-feed';

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

/** The training loss of runs in training. A run that ends keeps its last value. */
export class LiveLosses {
  private readonly following = new Map<string, RecentLoss>();
  private readonly values = new Map<string, number | undefined>();

  /** True if there may be a new value: while it trains, and once after that. */
  follows({ folder, state }: RunEntry): boolean {
    return isActive(state) || this.following.has(folder);
  }

  last(folder: string): number | undefined {
    return this.values.get(folder);
  }

  async read({ folder, state }: RunEntry): Promise<number | undefined> {
    const recent = this.following.get(folder) ?? new RecentLoss(folder);
    if (isActive(state)) this.following.set(folder, recent);
    else this.following.delete(folder);
    // If the curve is damaged, the run's dashboard reports it.
    const value = await recent.read().catch(() => undefined);
    this.values.set(folder, value);
    return value;
  }

  forget(folder: string): void {
    this.following.delete(folder);
    this.values.delete(folder);
  }
}
