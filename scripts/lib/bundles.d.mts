import type { BuildOptions } from 'esbuild';

export const PROGRAMS: Record<string, string>;
export const PAGES: string[];
/** The settings for the programs, the extension and the pages, in this order. */
export function bundles(
  out: string,
  options?: { packaged?: boolean; programs?: Record<string, string> },
): [BuildOptions, BuildOptions, BuildOptions];
