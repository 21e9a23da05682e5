import type { Metafile } from 'esbuild';

/** Matches the names of the parts that extension.cjs loads. */
export const IS_PART: RegExp;

/** The names of the files that are loaded with extension.cjs, itself among them. */
export function loadedAtActivation(metafile: Metafile): string[];
