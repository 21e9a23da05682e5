import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'aurora-retries-'));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it('lists each test that needed a retry, with its attempts', () => {
  writeFileSync(
    join(folder, 'flaky.test.js'),
    `let attempts = 0;
     test('steady', () => {});
     describe('group', () => {
       test('passes the second time', () => { expect(++attempts).toBe(2); });
       test('never passes', () => { throw new Error('no'); });
     });`,
  );
  const list = join(folder, 'retried.json');
  const own = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^VITEST|^TEST$/.test(name)),
  );
  const args = ['run', '--root', folder, '--globals', '--retry=1'];
  spawnSync(
    process.execPath,
    [resolve('node_modules/vitest/vitest.mjs'), ...args, `--reporter=${resolve('scripts/lib/retried.mjs')}`],
    { env: { ...own, AURORA_TEST_RETRIED_FILE: list } },
  );
  const lines = (JSON.parse(readFileSync(list, 'utf8')) as string[]).map((l) => l.replace(/^\S+\//, ''));
  expect(lines).toEqual([
    'flaky.test.js > group > passes the second time (2 attempts): expected 1 to be 2 // Object.is equality',
    'flaky.test.js > group > never passes (2 attempts): no',
  ]);
});

it.each([
  ['0', [0]],
  ['3', [3]],
  ['', [0, 1, 2]],
])('AURORA_TEST_RETRY=%s sets the retries of every tier', async (value, expected) => {
  vi.stubEnv('AURORA_TEST_RETRY', value);
  vi.resetModules();
  const { default: config } = (await import('../../../vitest.config.mjs')) as {
    default: { test: { retry: number; projects: { test: { retry?: number } }[] } };
  };
  const used = config.test.projects.map((p) => p.test.retry ?? config.test.retry);
  expect([...new Set(used)].sort()).toEqual(expected);
});
