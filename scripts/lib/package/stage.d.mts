import type { Sbom } from './sbom.mjs';
import type { Metafile } from 'esbuild';

export function stage(target: string, folder: string): Promise<void>;
/** The metafiles of the programs, of the extension host's code and of the pages. */
export function bundlePackaged(dist: string): Promise<[Metafile, Metafile, Metafile]>;
export function contentsList(target: string, metafiles: Metafile[]): Sbom;
