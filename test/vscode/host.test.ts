import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { closeBrowser } from './driver/browser';
import { hostTests, type HostReport } from './driver/host';
import { NODE_VERSION } from '../../scripts/lib/package/targets.mjs';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

afterAll(closeBrowser);

const vsix = vsixHere();
const empty = mkdtempSync(join(tmpdir(), 'aurora-empty-'));
const lab = tinyWorkspace();
afterAll(() => lab.remove());

// Mocha's results from the host become tests here, so it has to run before tests are collected.
for (const version of ['1.100', '1.139'] as const) {
  const reports = [
    await hostTests(version, ['activation'], { vsix, folder: empty }),
    // The suites share a window, because starting it takes longer than running them.
    await hostTests(version, ['experiment', 'tools', 'training'], {
      vsix,
      folder: lab.folder,
      env: { AURORA_PACKAGED_NODE: NODE_VERSION },
    }),
  ];
  describe(`in VS Code ${version}'s extension host`, () => {
    for (const report of reports) retell(report);
    test('the log has no errors from the extension', () =>
      expect(reports.flatMap((r) => r.errors)).toEqual([]));
  });
}

function retell(report: HostReport): void {
  for (const { fullTitle } of report.passes) test(fullTitle, () => {});
  for (const { fullTitle, err } of report.failures)
    test(fullTitle, () => {
      throw new Error(err.stack ?? err.message);
    });
  for (const { fullTitle } of report.pending) test.skip(fullTitle, () => {});
}
