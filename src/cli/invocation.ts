import { relative } from 'node:path';
import { shellQuote } from '../base/shell-quote';

/** The program as the user called it, for command lines to copy. */
export function program(): string {
  const called = process.argv[1] ?? 'aurora';
  return /\.c?js$/.test(called) ? `node ${shellQuote(relative(process.cwd(), called))}` : 'aurora';
}

/** A command line to paste into a shell. An option is given as it is, anything else is quoted where it has to be. */
export const commandLine = (...args: readonly string[]): string =>
  [program(), ...args.map((arg) => (/^--[a-z-]+$/.test(arg) ? arg : shellQuote(arg)))].join(' ');
