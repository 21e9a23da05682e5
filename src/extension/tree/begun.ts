import { isActive } from '../runs/shown-state';
import type { RunEntry } from '../runs/store';

/** The part of a run that shows if it has just started. */
type Begins = Pick<RunEntry, 'folder' | 'experiment' | 'state'>;

/**
 * Finds experiments where something has started: their first run appeared, or one of their runs became active. Returns their
 * files.
 */
export class BeginWatch {
  private before: Map<string, boolean> | undefined;

  /** Looks at all runs. None has started on the first call, when everything is new. */
  look(runs: readonly Begins[]): string[] {
    const { before } = this;
    this.before = new Map(runs.map((r) => [r.folder, isActive(r.state)]));
    if (!before) return [];
    const had = new Set(runs.filter((r) => before.has(r.folder)).map((r) => r.experiment));
    const begun = runs.filter((r) => {
      const known = before.get(r.folder);
      return (isActive(r.state) && !known) || (known === undefined && !had.has(r.experiment));
    });
    return experimentsOf(begun);
  }

  /** Looks only at those that have changed, of thousands; none has appeared. */
  lookAt(changed: readonly Begins[]): string[] {
    const { before } = this;
    if (!before) return [];
    const begun = changed.filter((r) => isActive(r.state) && !before.get(r.folder));
    for (const r of changed) before.set(r.folder, isActive(r.state));
    return experimentsOf(begun);
  }
}

const experimentsOf = (runs: readonly Begins[]): string[] => [...new Set(runs.map((r) => r.experiment))];
