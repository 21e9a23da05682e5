import type { RunToPage } from '../../src/protocol/panels/run';
import { RunData } from '../run/model';

/** More curves in one chart cannot be told apart: five dashes in six colors. */
export const MOST_CURVES = 30;

/** The checked runs, in the order in which they were checked, and their curves. */
export class Overlay {
  /** Folders. */
  private order: string[] = [];
  private readonly data = new Map<string, RunData>();
  version = 0;

  get folders(): readonly string[] {
    return this.order;
  }

  /** Runs with curves. */
  get drawn(): RunData[] {
    return [...this.data.values()];
  }

  /** The color of each checked run that is drawn. Others are checked, too, but have no number below `MOST_CURVES`. */
  get colors(): ReadonlyMap<string, number> {
    return new Map(this.order.map((folder) => [folder, this.data.get(folder)?.index ?? MOST_CURVES]));
  }

  set(folders: readonly string[]): void {
    this.order = [...new Set(folders)];
    const drawn = this.order.slice(0, MOST_CURVES);
    for (const folder of this.data.keys()) if (!drawn.includes(folder)) this.data.delete(folder);
    // Others keep their colors.
    for (const folder of drawn)
      if (!this.data.has(folder)) this.data.set(folder, new RunData(folder, this.freeColor()));
    this.version++;
  }

  private freeColor(): number {
    const taken = new Set([...this.data.values()].map((run) => run.index));
    for (let color = 0; ; color++) if (!taken.has(color)) return color;
  }

  /** Returns the runs of which something was lost. */
  take({ updates }: Extract<RunToPage, { type: 'snapshot' | 'append' }>): string[] {
    this.version++;
    return updates.flatMap((update) =>
      this.data.get(update.run)?.apply(update) === false ? [update.run] : [],
    );
  }
}
