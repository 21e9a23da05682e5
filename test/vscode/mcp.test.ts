import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { closeBrowser } from './driver/browser';
import { pictureOnFailure } from './driver/on-failure';
import { ProcessWatch } from './driver/processes';
import { Window } from './driver/window';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/** VS Code 1.100 has no MCP servers of extensions; the host tests start the extension there. */
describe('the MCP server, in VS Code 1.139', () => {
  const lab = tinyWorkspace();
  let server: WorkbenchServer;
  let window: Window;
  let watch: ProcessWatch;

  beforeAll(async () => {
    // Without a chat, VS Code has no commands for servers either.
    const settings = { 'chat.disableAIFeatures': false };
    server = await startWorkbench({ version: '1.139', name: 'mcp', vsix: vsixHere(), settings });
    watch = new ProcessWatch(server.profile);
    window = await Window.open(server, lab.folder);
    await window.sideBar();
    await window.row('tiny').waitFor();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    watch?.stop();
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  const list = () => window.palette('MCP: List Servers');
  const row = () => window.page.locator('.quick-input-list .monaco-list-row', { hasText: 'AuroRA Lab' });

  test('is offered by the extension, and is not started by that', async () => {
    await list();
    await row().waitFor();
    expect(await row().innerText()).toMatch(/Stopped/);
    await window.page.keyboard.press('Escape');
    expect(watch.commands).not.toContain('mcp');
  });

  test('starts with the programs of the extension', async () => {
    await list();
    await window.pick('AuroRA Lab');
    await window.pick('Start Server');
    await expect
      .poll(async () => {
        await list();
        const text = await row().innerText();
        await window.page.keyboard.press('Escape');
        return text;
      })
      .toMatch(/Running/);
    expect(watch.commands).toContain('mcp');
  });

  test('is written into .mcp.json after a question that shows the entry', async () => {
    await window.palette('AuroRA: Add to .mcp.json for Agents');
    await window.modal('Create .mcp.json?', 'Create');
    await expect
      .poll(() => JSON.parse(readFileSync(lab.path('.mcp.json'), 'utf8')) as unknown)
      .toMatchObject({ mcpServers: { aurora: { args: ['mcp', lab.folder] } } });
    await window.palette('AuroRA: Add to .mcp.json for Agents');
    await window.toast('already lets agents start AuroRA Lab').waitFor();
  });
});
