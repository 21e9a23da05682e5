import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  fits,
  GPU_PART_NAMES,
  type GpuInstalled,
  type GpuPart,
  type GpuState,
} from '../protocol/gpu-support';
import { carried, RECORD } from './places';

export const HERE = `${process.platform}-${process.arch}`;

/** The part installed below `gpu`; undefined if missing or incomplete. */
export function readInstalled(gpu: string, part: GpuPart): GpuInstalled | undefined {
  try {
    return JSON.parse(readFileSync(join(gpu, part, RECORD), 'utf8')) as GpuInstalled;
  } catch {
    return undefined;
  }
}

/** Each part that this build knows, including those for other platforms or not included in this build. */
export function gpuStates(dist: string, gpu: string): GpuState[] {
  return GPU_PART_NAMES.map((part) => {
    const version = fits(part, HERE) ? carriedVersion(dist, part) : undefined;
    const installed = readInstalled(gpu, part);
    return { part, fits: version !== undefined, version: version ?? '', installed };
  });
}

function carriedVersion(dist: string, part: GpuPart): string | undefined {
  try {
    return carried(dist, part).version;
  } catch {
    return undefined;
  }
}
