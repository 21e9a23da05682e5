import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { startWorkbench, THEMES, type ThemeName } from '../../scripts/lib/workbench/server.mjs';
import { clusterPath } from '../../src/runs/sweep/cluster-file';
import { makeSweep } from '../unit/extension/sweep-folder';
import { closeBrowser } from '../vscode/driver/browser';
import { pictureOnFailure } from '../vscode/driver/on-failure';
import { Window } from '../vscode/driver/window';
import { clusterSweep } from '../webview/sweep-fixture';
import { look } from './look';

const ROOT = join(__dirname, '..', '..');
const workspace = join(tmpdir(), 'aurora-on-cluster');
const themes = (process.env.AURORA_THEMES?.split(',') ?? Object.keys(THEMES)) as ThemeName[];

beforeAll(() => {
  rmSync(workspace, { recursive: true, force: true });
  mkdirSync(workspace, { recursive: true });
  const file = join(workspace, 'demo.aurora.json');
  writeFileSync(file, '{}\n');
  const { made, cluster } = clusterSweep();
  // Whoever follows it is on another machine, and alive while the pictures are taken.
  const sweep = makeSweep(file, made, { state: 'running', heartbeat: Date.now() + 3_600_000 });
  writeFileSync(clusterPath(sweep), JSON.stringify(cluster));
});
afterAll(async () => {
  await closeBrowser();
  rmSync(workspace, { recursive: true, force: true });
});

describe.each(themes)('a sweep on a cluster in %s', (theme) => {
  test('is drawn and legible', async () => {
    const server = await startWorkbench({
      version: '1.139',
      name: `on-cluster-${theme}`,
      extension: ROOT,
      theme,
      settings: { 'window.commandCenter': false, 'workbench.layoutControl.enabled': false },
    });
    let window: Window;
    pictureOnFailure(() => window);
    try {
      window = await Window.open(server, workspace, { width: 1280, height: 860 });
      await window.sideBar();
      await window.expand(window.row('Sweep ·'));
      await window.expand(window.row('2 trials queued'));
      await window.row('Sweep ·').click();
      await look(window, 'aurora-sweep .trial-row', `sweep-on-cluster-${theme}`);
    } finally {
      await server.stop();
    }
  });
});
