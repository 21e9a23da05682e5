import type { Metafile } from 'esbuild';

export const GPU_TARGETS: string[];
export function stageGpu(dist: string): Promise<Metafile[]>;
