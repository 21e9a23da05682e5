import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { binWithTokens } from './driver/activations';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/** From a layer's nonlinearity down to the data row; also hidden and shown, and after a reload. */
describe('Layer activations, in VS Code 1.100', () => {
  const lab = tinyWorkspace({ training: { epochs: 2, activationsEvery: 6 } });
  let server: WorkbenchServer;
  let window: Window;
  let name: string;

  beforeAll(async () => {
    expect(lab.run('train', lab.experiment).code).toBe(0);
    name = '#1 AuroRA r2';
    server = await startWorkbench({ version: '1.100', name: 'activations', vsix: vsixHere() });
    window = await Window.open(server, lab.folder);
    await window.sideBar();
    await window.row(name).waitFor();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  const page = (): Promise<Frame> => window.frameWith('aurora-activations aurora-layer-card');
  const shownStep = async () => (await page()).locator('.timeline output').innerText();
  /** The bin with the text that was shown. */
  let bin: string | null;
  const title = () => `Activations: ${name}`;
  const closeTab = async () => {
    await window.tab(title()).click({ button: 'middle' });
    await window.tab(title()).waitFor({ state: 'detached' });
  };

  test('opens from the dashboard, the palette and the tree', async () => {
    await window.row(name).click();
    // The row's tooltip would cover the page.
    await window.page.mouse.move(900, 700);
    const dashboard = await window.frameWith('aurora-run .readout');
    await dashboard.getByRole('button', { name: 'Show Layer Activations' }).click();
    await window.tab(title()).waitFor();
    await closeTab();
    // A dashboard that is shown again receives no keys until it has loaded, so this clicks, which leaves the
    // focus in the tree.
    await window.row(name).click();
    await window.palette('AuroRA: Show Layer Activations');
    // The only suitable run is picked automatically.
    await window.tab(title()).waitFor();
    await closeTab();
    await window.contextMenu(window.row(name), 'Show Layer Activations');
    await window.tab(title()).waitFor();
    await expect.poll(async () => (await page()).locator('aurora-layer-card').count()).toBe(4);
  });

  test('a layer, a bin and a data row are reached by keyboard', async () => {
    const frame = await page();
    const found = await binWithTokens(window, frame);
    bin = found.bin;
    await frame.locator('.large h2', { hasText: 'layer.0.query' }).waitFor();
    const [, file, line] = /(\S+), line (\d+)/.exec(await found.link.innerText())!;
    await found.link.focus();
    await window.page.keyboard.press('Enter');
    await window.tab(file).waitFor();
    await window.statusBar(`Ln ${line}, Col 1`).waitFor();
    await window.tab(file).click({ button: 'middle' });
  });

  test('playback steps through the snapshots, and the slider moves to each', async () => {
    const frame = await page();
    await frame.locator('.play').focus();
    await window.page.keyboard.press('Enter');
    await expect.poll(shownStep).toContain('(1 of 7 snapshots)');
    await expect.poll(shownStep, { timeout: 900_000 }).toContain('(7 of 7 snapshots)');
    const slider = frame.getByRole('slider', { name: 'Snapshot step' });
    await slider.press('Home');
    await expect.poll(shownStep).toBe('step 0 (1 of 7 snapshots)');
    await slider.press('ArrowRight');
    await expect.poll(shownStep).toBe('step 6 (2 of 7 snapshots)');
  });

  test('the state is kept when the page is hidden and after a reload', async () => {
    await window.openFile('tiny.aurora.json');
    await window.tab(title()).click();
    await expect.poll(shownStep).toBe('step 6 (2 of 7 snapshots)');
    await window.reload();
    await expect.poll(shownStep, { timeout: 900_000 }).toBe('step 6 (2 of 7 snapshots)');
    await expect.poll(async () => (await page()).locator('.large h2').innerText()).toBe('layer.0.query');
    // At this step, the bin may contain no token.
    await (await page()).locator(`.words[data-bin="${bin}"]`).waitFor();
  });

  test('the effect of σ is measured in a subprocess, and its line drawn at that step', async () => {
    await (await page()).locator('[data-action="measure"]').click();
    const verdict = async () => (await page()).locator('.effect .verdict').count();
    await expect.poll(verdict, { timeout: 900_000 }).toBe(1);
    const frame = await page();
    expect(await frame.locator('.effect tr').count()).toBe(4);
    const show = frame.locator('[data-action="show-step"]');
    if ((await show.count()) > 0) await show.click();
    await frame.locator('path.curve.fitted').last().waitFor();
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
