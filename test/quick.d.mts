/** For each tier with test files, those that `npm test` runs: only some, or all but some. */
export const QUICK: Record<string, { only?: string[]; allBut?: string[] }>;

/** The only version of VS Code that the quick selection starts. */
export const QUICK_WORKBENCH: string;

/** The names of a tier's test files, as in QUICK. */
export function testFiles(tier: string): string[];

/** A tier's test files in the quick selection: paths below the repository, with "/". */
export function quickFiles(tier: string): string[];
