import type { Metafile } from 'esbuild';

export function stage(target: string, folder: string): Promise<void>;
/** The programs' metafile, then the pages'. */
export function bundlePackaged(dist: string): Promise<[Metafile, Metafile]>;
