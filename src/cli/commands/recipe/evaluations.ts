import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '../../../recipes/data/kind';

/** The evaluation sets of a data set that a folder has, by name, and the names of those that it lacks. */
export interface FoundEvaluations {
  found: Record<string, string>;
  missing: string[];
}

export function evaluationsIn({ evaluations = [] }: Layout, folder: string): FoundEvaluations {
  const result: FoundEvaluations = { found: {}, missing: [] };
  for (const { name, files } of evaluations) {
    const path = files.map((file) => join(folder, file)).find((file) => existsSync(file));
    if (path === undefined) result.missing.push(name);
    else result.found[name] = path;
  }
  return result;
}
