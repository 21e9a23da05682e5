import { relative } from 'node:path';

/** The program as the user called it, for command lines to copy. */
export function program(): string {
  const called = process.argv[1] ?? 'aurora';
  return /\.c?js$/.test(called) ? `node ${relative(process.cwd(), called)}` : 'aurora';
}
