import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** The same trials each time, so that a failure here comes from a change. */
const SEED = '1';

describe('a slice of the fault injection', () => {
  it.each(['mutants', 'kills', 'disks', 'folders', 'inputs', 'clocks'])(
    '%s leave no unclean outcome',
    { timeout: 600_000 },
    (name) => {
      const args = ['scripts/soak.mjs', '--built', '--slice', '--seed', SEED, '--only', name];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      expect(`${stdout}${stderr}`).not.toContain('UNCLEAN');
      expect(status).toBe(0);
    },
  );
});
