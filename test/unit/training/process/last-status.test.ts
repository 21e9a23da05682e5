import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runPaths } from '../../../../src/runs/layout';
import { readStatus, writeStatus } from '../../../../src/runs/status';
import { writeEndStatus, newStatus } from '../../../../src/training/process/pulse';

let run: string;
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'aurora-run-'));
});
afterEach(() => rmSync(run, { recursive: true, force: true }));

/** Makes a folder accept no new files, even from root. */
const immutable = (folder: string, on: boolean): boolean => {
  try {
    execFileSync('chattr', [on ? '+i' : '-i', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const canBeImmutable = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const probe = mkdtempSync(join(tmpdir(), 'aurora-immutable-'));
  const can = immutable(probe, true) && immutable(probe, false);
  rmSync(probe, { recursive: true, force: true });
  return can;
})();

describe('the final status of a run', () => {
  it.skipIf(!canBeImmutable)(
    'is written into the existing file if the folder accepts no new ones',
    async () => {
      const status = { ...newStatus('running'), steps: 123_456_789 };
      writeStatus(run, status);
      immutable(run, true);
      try {
        await writeEndStatus(run, { ...status, state: 'failed', steps: 1 });
      } finally {
        immutable(run, false);
      }
      expect(readStatus(run)).toMatchObject({ state: 'failed', steps: 1, nonce: status.nonce });
      expect(readFileSync(runPaths(run).status, 'utf8')).toMatch(/}\s*\n$/);
    },
  );

  it('is a disk error if nothing can be written', async () => {
    mkdirSync(runPaths(run).status);
    await expect(writeEndStatus(run, newStatus('stopped'))).rejects.toMatchObject({ kind: 'disk' });
  });
});
