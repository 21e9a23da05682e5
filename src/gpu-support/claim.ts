import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAliveNow, thisProcess, type ProcessRecord } from '../files/processes';
import { AuroraError } from '../base/errors';
import { GPU_PARTS, GPU_PART_NAMES, type GpuPart } from '../protocol/gpu-support';

/** The folder where a part is assembled: by one process at a time, and removed when it ends. */
const claimed = (gpu: string, part: GpuPart): string => join(gpu, `.installing-${part}`);
const OWNER = 'owner';

/** Heartbeat interval of the owner. */
const BEAT_MS = 5000;
const DEAD_MS = 60_000;

export interface Claim {
  folder: string;
  release(): void;
}

/**
 * The empty folder in which `part` is assembled. Leftovers of a killed install are removed.
 * @throws AuroraError 'device' while another process works in it
 */
export function claim(gpu: string, part: GpuPart): Claim {
  const folder = claimed(gpu, part);
  tidy(gpu);
  mkdirSync(gpu, { recursive: true });
  try {
    // If two do this at once, one fails.
    mkdirSync(folder);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code !== 'EEXIST') throw e;
    throw new AuroraError(
      'device',
      `${GPU_PARTS[part].title} is already being installed in another window or terminal.`,
      'Wait until it has finished.',
    );
  }
  const owner = join(folder, OWNER);
  writeFileSync(owner, JSON.stringify(thisProcess()));
  const beat = setInterval(() => {
    try {
      utimesSync(owner, new Date(), new Date());
    } catch {
      // Taken from us: the next step will fail and report why.
      clearInterval(beat);
    }
  }, BEAT_MS).unref();
  return {
    folder,
    release() {
      clearInterval(beat);
      // A straggler may write once more during this.
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** Removes leftovers of killed installs. */
export function tidy(gpu: string): void {
  for (const part of GPU_PART_NAMES) {
    const folder = claimed(gpu, part);
    if (isBusy(folder)) continue;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    rmSync(join(gpu, `.removed-${part}`), { recursive: true, force: true });
  }
}

function isBusy(folder: string): boolean {
  const made = statSync(folder, { throwIfNoEntry: false });
  const owner = statSync(join(folder, OWNER), { throwIfNoEntry: false });
  // It may be about to write its name.
  if (!owner) return made !== undefined && Date.now() - made.mtimeMs < BEAT_MS;
  return isOwnerAlive(join(folder, OWNER), owner.mtimeMs);
}

/** @param seen its last heartbeat, in ms since 1970 */
function isOwnerAlive(path: string, seen: number): boolean {
  try {
    return isAliveNow(JSON.parse(readFileSync(path, 'utf8')) as ProcessRecord, seen, DEAD_MS);
  } catch {
    return Date.now() - seen < DEAD_MS;
  }
}
