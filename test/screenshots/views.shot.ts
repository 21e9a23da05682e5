import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { startWorkbench, THEMES, type ThemeName } from '../../scripts/lib/workbench/server.mjs';
import { closeBrowser } from '../vscode/driver/browser';
import { Window } from '../vscode/driver/window';

const ROOT = join(__dirname, '..', '..');
/** `npm run screenshots` trains in it before. */
const workspace = process.env.AURORA_SCREENSHOTS!;

afterAll(closeBrowser);

describe.each(Object.keys(THEMES) as ThemeName[])('%s', (theme) => {
  test('every view', async () => {
    const server = await startWorkbench({
      version: '1.139',
      name: `screenshots-${theme}`,
      extension: ROOT,
      theme,
      settings: { 'window.commandCenter': false, 'workbench.layoutControl.enabled': false },
    });
    try {
      const window = await Window.open(server, workspace, { width: 1280, height: 860 });
      await window.sideBar();
      await window.openFile('debian-sections.aurora.json');
      await window.expand(window.row('debian-sections'));
      await window.settled();
      await window.screenshot(`experiment-${theme}`);
      await shoot(window, 'AuroRA: Open Run Dashboard', 'aurora-run canvas', `run-${theme}`);
      await shoot(window, 'AuroRA: Show Layer Activations', 'canvas', `activations-${theme}`);
      await shoot(window, 'AuroRA: Open Budget Calculator', 'canvas', `budget-${theme}`);
      await window.palette('AuroRA: Get Started');
      await window.settled();
      await window.screenshot(`walkthrough-${theme}`);
      await window.close();
    } finally {
      await server.stop();
    }
  });
});

/** One dashboard at a time: only its tab is open, so the frame that is found is its own. */
async function shoot(window: Window, command: string, selector: string, name: string): Promise<void> {
  await window.palette('View: Close All Editors');
  await window.palette(command);
  const choice = window.page
    .locator('.quick-input-widget:visible .quick-input-list .monaco-list-row')
    .first();
  await choice.waitFor({ timeout: 3000 }).then(
    () => choice.click(),
    () => undefined,
  );
  const frame = await window.frameWith(selector);
  await frame.locator(selector).first().waitFor();
  await window.settled();
  expect(await window.screenshot(name)).toContain(name);
}
