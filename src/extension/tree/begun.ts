import { isActive } from '../runs/shown-state';
import type { RunEntry } from '../runs/store';

/** The part of a run that shows whether it has just started. */
type Begins = Pick<RunEntry, 'folder' | 'experiment' | 'state'>;

/** Finds experiments where something has started: their first run appeared, or one of their runs became active. */
export class BeginWatch {
  private before: ReadonlyMap<string, boolean> | undefined;

  /** @returns experiment files; none on the first call, when everything is new */
  look(runs: readonly Begins[]): string[] {
    const { before } = this;
    this.before = new Map(runs.map((r) => [r.folder, isActive(r.state)]));
    if (!before) return [];
    const had = new Set(runs.filter((r) => before.has(r.folder)).map((r) => r.experiment));
    const begun = runs.filter((r) => {
      const known = before.get(r.folder);
      return (isActive(r.state) && !known) || (known === undefined && !had.has(r.experiment));
    });
    return [...new Set(begun.map((r) => r.experiment))];
  }
}
