import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  fits,
  GPU_PART_NAMES,
  type GpuInstalled,
  type GpuPart,
  type GpuState,
} from '../../shared/gpu-support';
import { carried, RECORD } from './places';

export const HERE = `${process.platform}-${process.arch}`;

/** What is installed below `gpu`; undefined where it is not, or not whole. */
export function readInstalled(gpu: string, part: GpuPart): GpuInstalled | undefined {
  try {
    return JSON.parse(readFileSync(join(gpu, part, RECORD), 'utf8')) as GpuInstalled;
  } catch {
    return undefined;
  }
}

/** Each part that this build knows of; those for other platforms too. */
export function gpuStates(dist: string, gpu: string): GpuState[] {
  return GPU_PART_NAMES.map((part) => {
    const offered = fits(part, HERE);
    const installed = readInstalled(gpu, part);
    const version = offered ? carried(dist, part).version : '';
    return { part, fits: offered, version, ...(installed ? { installed } : {}) };
  });
}
