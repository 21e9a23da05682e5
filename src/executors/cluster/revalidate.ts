import { readdirSync } from 'node:fs';

/** Opening a folder makes a client of NFS ask for its present content. */
export function revalidate(folder: string): void {
  try {
    readdirSync(folder);
  } catch {
    // The look reports its problem.
  }
}
