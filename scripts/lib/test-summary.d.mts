/** The result of a tier. */
export interface Part {
  tier: string;
  passed: number;
  failures: string[];
  skipped: number;
  /** With its preparation. */
  seconds: number;
}

export function partLine(part: Part): string;

/** A table of the tiers, and a row of their sums; `seconds` of the whole run. */
export function partsTable(parts: Part[], seconds: number): string;

/** "432 passed, 0 failed, 3 skipped" */
export function counts(part: Pick<Part, 'passed' | 'failures' | 'skipped'>): string;
