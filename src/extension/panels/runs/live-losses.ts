import { RecentLoss } from '../../../runs/curve/recent-loss';
import { isActive } from '../../runs/shown-state';
import type { RunEntry } from '../../runs/store';

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
