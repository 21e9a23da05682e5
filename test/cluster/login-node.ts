import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, vi } from 'vitest';
import { hasSshd, startSshd, type Sshd } from './sshd';

/** `describe` for tests that need a login node: a machine without sshd skips them. */
export const withLogin = describe.skipIf(!hasSshd || process.env.AURORA_TEST_SLURM === '0');

/**
 * A login node for the tests of a file, which finds it as `cluster`. Its folder has a short path.
 *
 * @param env what commands get there
 */
export function loginNode(env: Record<string, string> = {}): { sshd: Sshd; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'a-'));
  const node = { folder, sshd: undefined as unknown as Sshd };
  beforeAll(async () => {
    node.sshd = await startSshd(join(folder, 'sshd'), env);
    for (const [name, value] of Object.entries(node.sshd.env)) vi.stubEnv(name, value);
  });
  afterAll(async () => {
    await node.sshd.stop();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });
  return node;
}
