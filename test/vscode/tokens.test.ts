import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { programs } from './driver/processes';
import { Window } from './driver/window';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/** From an experiment's CodeLens to its rows, which follow the file. */
describe('Show Tokens, in VS Code 1.100', () => {
  const lab = tinyWorkspace({ task: { type: 'token-classification' } });
  const words = ['the', 'cats', 'played', 'unaffable', 'cat'];
  const rows = Array.from({ length: 12 }, (_, i) => {
    const tokens = Array.from({ length: 3 + (i % 3) }, (_, k) => words[(i + k) % words.length]!);
    return JSON.stringify({ tokens, tags: tokens.map((w) => (w.startsWith('cat') ? 'B-PET' : 'O')) });
  });
  for (const name of ['train.jsonl', 'validation.jsonl']) lab.write(name, `${rows.join('\n')}\n`);
  let server: WorkbenchServer;
  let window: Window;

  beforeAll(async () => {
    server = await startWorkbench({ version: '1.100', name: 'tokens', vsix: vsixHere() });
    window = await Window.open(server, lab.folder);
    await window.sideBar();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  const page = (): Promise<Frame> => window.frameWith('aurora-tokens main');
  const title = async () => (await page()).locator('h1').innerText();
  const counting = async () => (await page()).locator('.tokens .token.counts').allInnerTexts();

  test('the CodeLens opens the first row, and buttons and the keyboard lead to others', async () => {
    await window.openFile('tiny.aurora.json');
    await window.page.locator('.codelens-decoration a', { hasText: 'Show Tokens' }).click();
    await window.tab('Tokens: tiny').waitFor();
    await expect.poll(title, { timeout: 900_000 }).toBe('Tokens of train.jsonl, line 1');
    expect((await counting()).join(' ')).toMatch(/the.*O.*cats.*B-PET.*play.*O/s);
    await (await page()).locator('[data-action=next]').click();
    await expect.poll(title).toBe('Tokens of train.jsonl, line 2');
    await (await page()).locator('[data-field=row]').fill('validation.jsonl:5');
    await (await page()).locator('[data-field=row]').press('Enter');
    await expect.poll(title).toBe('Tokens of validation.jsonl, line 5');
    await (await page()).locator('[data-field=row]').fill('99');
    await (await page()).locator('[data-field=row]').press('Enter');
    await expect
      .poll(async () => (await page()).locator('.error').innerText())
      .toContain('validation.jsonl has no row 99. It has 12 rows');
    await expect.poll(() => programs(server.profile, 'tokens')).toEqual([]);
  });

  test('the shown row survives a reload', async () => {
    await (await page()).locator('[data-action=previous]').click();
    await expect.poll(title).toBe('Tokens of validation.jsonl, line 4');
    await window.reload();
    await expect.poll(title, { timeout: 900_000 }).toBe('Tokens of validation.jsonl, line 4');
    expect(hostErrors(server.profile)).toEqual([]);
    await window.screenshot('tokens');
  });
});
