import { lastAtMost } from '../../charts/search';
import { Growing } from '../growing';
import type { RunRecords } from '../../../src/protocol/panels/run';
import type { RunData, XAxis } from '../model';

/** What was sampled of the machine, at times of its own; its x follows from when the steps around it ended. */
export class Resources {
  private columns = new Map<string, Growing>();
  private places = { key: '', x: new Float64Array(0) };
  private changes = 0;

  constructor(private readonly run: RunData) {}

  get count(): number {
    return this.columns.get('time')?.length ?? 0;
  }

  column(name: string): Float64Array {
    return this.columns.get(name)?.view ?? new Float64Array(0);
  }

  /** Returns false if something in between was lost. */
  apply({ from, columns, values }: RunRecords): boolean {
    if (from > this.count) return false;
    this.changes++;
    if (from === 0) this.columns = new Map(columns.map((name) => [name, new Growing()]));
    columns.forEach((name, k) => {
      const column = this.columns.get(name);
      column?.truncate(from);
      for (let i = k; i < values.length; i += columns.length) column?.push(values[i]);
    });
    return true;
  }

  /** Ascending: where each sample is on an axis, between the steps that ended before and after it. */
  x(axis: XAxis): Float64Array {
    const { run } = this;
    const key = `${axis} ${this.changes} ${run.records} ${run.events.length}`;
    if (this.places.key === key) return this.places.x;
    const [ends, at] = [run.column('time'), run.x(axis)];
    let before = -Infinity;
    const x = Float64Array.from(
      this.column('time'),
      (time) => (before = Math.max(before, between(ends, at, time))),
    );
    this.places = { key, x };
    return x;
  }
}

/** Linear between two steps; the first or the last step's place outside of them. */
function between(ends: Float64Array, at: Float64Array, time: number): number {
  if (ends.length === 0) return 0;
  const i = lastAtMost(ends, time);
  if (i < 0) return at[0];
  if (i === ends.length - 1) return at[i];
  const share = (time - ends[i]) / (ends[i + 1] - ends[i]);
  return at[i] + share * (at[i + 1] - at[i]);
}
