/** What of a run says whether it has just begun. */
export interface Begins {
  folder: string;
  experiment: string;
  active: boolean;
}

/** Tells experiments where something has begun: their first run appeared, or a run of theirs is now at work. */
export class BeginWatch {
  private before: ReadonlyMap<string, boolean> | undefined;

  /** @returns experiment files; none at the first look, when all is new */
  look(runs: readonly Begins[]): string[] {
    const { before } = this;
    this.before = new Map(runs.map((r) => [r.folder, r.active]));
    if (!before) return [];
    const had = new Set(runs.filter((r) => before.has(r.folder)).map((r) => r.experiment));
    const begun = runs.filter((r) => {
      const known = before.get(r.folder);
      return (r.active && !known) || (known === undefined && !had.has(r.experiment));
    });
    return [...new Set(begun.map((r) => r.experiment))];
  }
}
