import { relative } from 'node:path';

/** The program as it was called, so that a line can be pasted. */
export function program(): string {
  const called = process.argv[1] ?? 'aurora';
  return /\.c?js$/.test(called) ? `node ${relative(process.cwd(), called)}` : 'aurora';
}
