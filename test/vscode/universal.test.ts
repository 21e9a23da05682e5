import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/**
 * The package without a runtime shows and calculates, and reports what is missing only when asked to train
 * (T10).
 */
describe('the universal package, in VS Code 1.100', () => {
  const lab = tinyWorkspace();
  let server: WorkbenchServer;
  let window: Window;

  beforeAll(async () => {
    const vsix = vsixHere('universal');
    server = await startWorkbench({ version: '1.100', name: 'universal', vsix });
    window = await Window.open(server, lab.folder);
    await window.sideBar();
    await window.row('tiny').waitFor();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  test('an experiment shows its budget without any notification', async () => {
    await window.openFile('tiny.aurora.json');
    await window.page
      .locator('.codelens-decoration')
      .getByText(/592 trainable/)
      .first()
      .waitFor();
    expect(await window.page.locator('.notification-toast').count()).toBe(0);
  });

  test.each([
    'Run Experiment',
    'Run Preflight',
    'Verify Experiment on Both Engines',
    'Check This Machine',
    'Run the Demo',
  ])('%s reports what is missing, with one next action', async (command) => {
    await window.palette(`AuroRA: ${command}`);
    const said = await window.said(
      /does not include ONNX Runtime for linux-\w+\. Install the build of the extension/,
    );
    expect(await said.locator('.monaco-button').allInnerTexts()).toEqual(['Show Extension']);
    await window.palette('Notifications: Clear All Notifications');
    await said.waitFor({ state: 'hidden' });
  });

  test('no run is created', () => expect(existsSync(join(lab.folder, '.aurora/runs/tiny'))).toBe(false));

  test('the Machine view reports it too', async () => {
    await window.pane('Machine').locator('.pane-header').click();
    await expect
      .poll(async () => (await window.rows('Machine')).join('\n'))
      .toContain('does not include ONNX Runtime');
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
