import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** The same trials each time, so that a new failure comes from a change. */
const SEED = '1';

describe('a short fault injection', () => {
  it.each(['mutants', 'kills', 'disks', 'folders', 'inputs', 'clocks'])(
    'with %s has no unclean outcome',
    { timeout: 600_000 },
    (name) => {
      const args = ['scripts/soak.mjs', '--built', '--slice', '--seed', SEED, '--only', name];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      expect(`${stdout}${stderr}`).not.toContain('UNCLEAN');
      expect(status).toBe(0);
    },
  );
});
