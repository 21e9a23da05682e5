import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** As in the bundles (scripts/lib/bundles.mjs): the loader that exports carry. */
const pythonAsText = {
  name: 'python-as-text',
  load: (id: string) =>
    id.endsWith('.py') ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))}` : undefined,
};

/** AURORA_TEST_RETRY sets the number of retries for every tier; 0 switches them off. */
const retries = (usual: number): number => {
  const wanted = process.env.AURORA_TEST_RETRY;
  if (wanted === undefined || wanted === '') return usual;
  if (!/^\d+$/.test(wanted)) throw new Error(`AURORA_TEST_RETRY is "${wanted}"; it must be a whole number.`);
  return Number(wanted);
};

/** Unit tests about what a process has loaded, or has not yet. */
const OWN_PROCESS = ['test/unit/devices/candidates.test.ts', 'test/unit/engine/device-errors.test.ts'];

/**
 * Tiers that wait for other programs or a clock. Files share a process: loading the same modules and starting the same
 * browser for each took a tenth of their time.
 */
const WAITING = { maxWorkers: 3, isolate: false };

export default defineConfig({
  plugins: [pythonAsText],
  test: {
    pool: 'forks',
    maxWorkers: 2,
    // Two tests run at a time, and a runtime's threads spin while they wait for each other.
    env: { OMP_NUM_THREADS: '1' },
    // Only for what hangs: no test depends on speed. It leaves time for the error of `until`, which says what did not happen. A test that
    // reaches this limit fails without a reason, and still runs during its retry.
    testTimeout: 1_200_000,
    hookTimeout: 600_000,
    // A page answers in a moment; a machine with other work may take a minute.
    expect: { poll: { timeout: 120_000 } },
    // The summary has only a failure's first line, which should say what was found.
    chaiConfig: { truncateThreshold: 400 },
    retry: retries(0),
    projects: [
      {
        extends: true,
        // Some of them wait for a clock, and a quarter of the time went into loading the same modules for each.
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], exclude: OWN_PROCESS, ...WAITING },
      },
      {
        extends: true,
        test: { name: 'unit-alone', include: OWN_PROCESS, maxWorkers: WAITING.maxWorkers },
      },
      {
        extends: true,
        test: {
          name: 'cli',
          include: ['test/cli/**/*.test.ts'],
          ...WAITING,
          // Processes, signals, full disks and limits of the kernel: once is the machine's, twice is ours.
          retry: retries(1),
        },
      },
      {
        extends: true,
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          // Each starts a cluster on this machine.
          maxWorkers: 1,
          // A scheduler that polls: twice is ours.
          retry: retries(1),
        },
      },
      {
        extends: true,
        test: { name: 'webview', include: ['test/webview/**/*.test.ts'], ...WAITING },
      },
      { extends: true, test: { name: 'reference', include: ['test/reference/**/*.test.ts'] } },
      { extends: true, test: { name: 'interop', include: ['test/interop/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          // Not a tier of tests: npm run screenshots.
          name: 'screenshots',
          include: ['test/screenshots/*.shot.ts'],
          maxWorkers: 1,
          testTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          // Nor this: npm run bench:editor.
          name: 'bench',
          include: ['bench/*.measure.ts'],
          maxWorkers: 1,
          testTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'vscode',
          include: ['test/vscode/**/*.test.ts'],
          ...WAITING,
          // A menu that closes under the pointer, a frame that is late: twice is the editor's, a third time is ours.
          retry: retries(2),
        },
      },
    ],
  },
});
