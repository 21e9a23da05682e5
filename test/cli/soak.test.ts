import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** One seed for all times, so that a new failure comes from a change. */
const SEED = '1';
const CAMPAIGNS = ['mutants', 'lies', 'records', 'kills', 'disks', 'folders', 'inputs', 'clocks', 'writes'];

function inject(campaigns: readonly string[]) {
  const args = ['scripts/soak.mjs', '--built', '--slice', '--seed', SEED, '--only', campaigns.join()];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { said: `${stdout}${stderr}`, status };
}

describe('a short fault injection', () => {
  let all: ReturnType<typeof inject> | undefined;

  it.for(CAMPAIGNS)('with %s has no unclean outcome', { timeout: 3_600_000 }, (name, { task }) => {
    // All in one program, which trains what they damage only once; a retry repeats one.
    const { said, status } = task.result?.retryCount ? inject([name]) : (all ??= inject(CAMPAIGNS));
    expect(said).toMatch(new RegExp(`^${name} +(skipped: |seeds 1 to \\d+: \\d+ trials, 0 unclean )`, 'm'));
    expect(status, said).toBe(0);
  });
});
