import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { startWorkbench, THEMES, type ThemeName } from '../../scripts/lib/workbench/server.mjs';
import { makeClaim } from '../unit/extension/claim-folder';
import { closeBrowser } from '../vscode/driver/browser';
import { pictureOnFailure } from '../vscode/driver/on-failure';
import { Window } from '../vscode/driver/window';
import { look } from './look';

const ROOT = join(__dirname, '..', '..');
const workspace = join(tmpdir(), 'aurora-claim-shots');
const themes = (process.env.AURORA_THEMES?.split(',') ?? Object.keys(THEMES)) as ThemeName[];

beforeAll(() => {
  rmSync(workspace, { recursive: true, force: true });
  mkdirSync(workspace, { recursive: true });
  const file = join(workspace, 'demo.aurora.json');
  writeFileSync(file, '{}\n');
  makeClaim(file, { verdict: 'supported' });
});
afterAll(async () => {
  await closeBrowser();
  rmSync(workspace, { recursive: true, force: true });
});

describe.each(themes)('a claim in %s', (theme) => {
  test('is drawn and legible', async () => {
    const server = await startWorkbench({
      version: '1.139',
      name: `claim-${theme}`,
      extension: ROOT,
      theme,
      settings: { 'window.commandCenter': false, 'workbench.layoutControl.enabled': false },
    });
    let window: Window;
    pictureOnFailure(() => window);
    try {
      window = await Window.open(server, workspace, { width: 1280, height: 860 });
      await window.sideBar();
      await window.expand(window.row('Claim:'));
      await window.row('Claim:').click();
      await look(window, 'aurora-claim .verdict', `claim-${theme}`);
    } finally {
      await server.stop();
    }
  });
});
