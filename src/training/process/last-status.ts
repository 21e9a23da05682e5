import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { runPaths } from '../../runs/layout';
import { writeStatus } from '../../runs/status';
import { AuroraError } from '../../base/errors';
import type { RunStatus } from '../../protocol/events';

/** Delays between attempts, in ms: for a virus scanner, or a network disk that recovers. */
const WAITS = [100, 300, 1000];

/**
 * Writes a run's final status, so that it does not stay `running`: several attempts, and finally into the existing
 * file, for a folder that takes no new files.
 *
 * @throws AuroraError 'disk' if none of that works
 */
export async function writeEndStatus(run: string, status: RunStatus): Promise<void> {
  for (const pause of [...WAITS, undefined])
    try {
      return writeStatus(run, status);
    } catch (e) {
      // Nothing to write for a run that is gone or owned by another process.
      if (!(e instanceof AuroraError && e.kind === 'disk')) throw e;
      if (overwritten(run, status)) return;
      if (pause === undefined) throw e;
      await wait(pause);
    }
}

/** In a single write, padded with blanks, so that no reader sees half of it. */
function overwritten(run: string, status: RunStatus): boolean {
  try {
    const fd = openSync(runPaths(run).status, 'r+');
    try {
      const bytes = Buffer.from(JSON.stringify(status));
      const whole = Buffer.alloc(Math.max(bytes.length + 1, fstatSync(fd).size), ' ');
      bytes.copy(whole);
      whole[whole.length - 1] = 0x0a;
      return writeSync(fd, whole, 0, whole.length, 0) === whole.length;
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}
