import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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

const FIXTURES = 'test/fixtures/playground/language';

/**
 * A typed text, answered by a run, its base, another run and a language model, without any trace left
 * afterwards.
 */
describe('the Playground, in VS Code 1.100', () => {
  const lab = tinyWorkspace({ training: { epochs: 2 } });
  let server: WorkbenchServer;
  let window: Window;
  let name: string;
  let other: string;

  beforeAll(async () => {
    const lora = 'adapter={"method":"lora","rank":2,"targetModules":["query","value"]}';
    expect(lab.run('train', lab.experiment).code).toBe(0);
    expect(lab.run('train', lab.experiment, '--set', lora).code).toBe(0);
    [name, other] = ['#1 AuroRA r2', '#2 LoRA r2'];
    for (const file of ['model.onnx', 'tokenizer.json', 'tokenizer_config.json', 'config.json'])
      lab.write(`language/${file}`, readFileSync(join(FIXTURES, file)));
    for (const file of ['adapter_config.json', 'adapter_model.safetensors'])
      lab.write(`language/adapter/${file}`, readFileSync(join(FIXTURES, 'adapter', file)));
    server = await startWorkbench({ version: '1.100', name: 'playground', vsix: vsixHere() });
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

  const page = (): Promise<Frame> => window.frameWith('aurora-playground textarea');
  const running = () => programs(server.profile, 'play');
  const shares = async (frame: Frame) => {
    const rows = await frame.locator('.card tbody tr').allInnerTexts();
    return rows.map((row) => Number(/([\d.]+)%/.exec(row)![1]));
  };
  const close = async (title: string) => {
    await window.tab(title).click({ button: 'middle' });
    await window.tab(title).waitFor({ state: 'detached' });
    await expect.poll(running).toEqual([]);
  };

  test('opens from the tree, answers what is typed, and ends its program when closed', async () => {
    await window.contextMenu(window.row(name), 'Open Playground');
    await window.tab(`Playground: ${name}`).waitFor();
    await window.page.mouse.move(900, 700);
    const frame = await page();
    await frame.locator('textarea').click();
    await window.page.keyboard.type('the unaffable cats played');
    await frame.locator('[data-column="own base"] .verdict').waitFor();
    const [a, b, c, d] = await shares(frame);
    expect([a + b, c + d].map(Math.round)).toEqual([100, 100]);
    expect(await frame.locator('.card h2').allInnerTexts()).toEqual([name, 'Base model']);
    expect(await frame.locator('.numbers').first().innerText()).toMatch(/^[\d.]+ m?s · \d+ tokens$/);
    expect(running()).toHaveLength(1);
  });

  test('adds another run beside', async () => {
    const frame = await page();
    await frame.getByRole('button', { name: 'Compare with' }).click();
    await window.page.locator('.quick-input-widget', { hasText: 'Select runs to compare with' }).waitFor();
    await window.pick(other);
    await window.page.keyboard.press('Enter');
    await frame.locator('.card').nth(2).locator('.verdict').waitFor();
    expect(await frame.locator('.card h2').allInnerTexts()).toEqual([name, 'Base model', other]);
    expect(running()).toHaveLength(1);
  });

  test('keeps its state and its program while hidden, and its state after a reload', async () => {
    const [before, text] = [running(), await shares(await page())];
    await window.openFile('tiny.aurora.json');
    await window.tab(`Playground: ${name}`).click();
    await expect.poll(async () => shares(await page())).toEqual(text);
    expect(running()).toEqual(before);
    await window.reload();
    await expect.poll(async () => shares(await page()), { timeout: 900_000 }).toEqual(text);
    await expect
      .poll(async () => (await page()).locator('textarea').inputValue())
      .toBe('the unaffable cats played');
    await expect.poll(running).toHaveLength(1);
    expect(running()).not.toEqual(before);
    await close(`Playground: ${name}`);
  });

  test('opens from the dashboard and fills in a validation text', async () => {
    await window.row(name).click();
    await window.page.mouse.move(900, 700);
    const dashboard = await window.frameWith('aurora-run .readout');
    await dashboard.getByRole('button', { name: 'Open Playground' }).click();
    await window.tab(`Playground: ${name}`).waitFor();
    const frame = await page();
    await frame.getByRole('button', { name: 'Try a Validation Text' }).click();
    await frame.locator('.truth-line').waitFor();
    await frame.locator('[data-column="own base"] .judged').first().waitFor();
    await close(`Playground: ${name}`);
  });

  test('restarts a program that ends unexpectedly and reports it', async () => {
    await window.expand(window.row(name));
    await window.contextMenu(window.row('Checkpoint at step'), 'Open Playground');
    await window.tab(`Playground: ${name}`).waitFor();
    await window.page.mouse.move(900, 700);
    const frame = await page();
    await frame.locator('.card').nth(1).waitFor();
    const [first] = running();
    process.kill(first, 'SIGKILL');
    await frame.getByRole('alert').getByText('was restarted').waitFor();
    await frame.locator('textarea').fill('the cat');
    await frame.locator('[data-column="own base"] .verdict').waitFor();
    expect(running()).not.toContain(first);
    await close(`Playground: ${name}`);
  });

  test('lets a language model generate text, alone and with an adapter from disk', async () => {
    await window.pane('Models').locator('.pane-header').click();
    const model = window.pane('Models').locator('.monaco-list-row', { hasText: 'language' }).first();
    const writes = async (title: string, texts: string[]) => {
      await window.tab(title).waitFor();
      await window.page.mouse.move(900, 700);
      const frame = await page();
      await frame.locator('textarea').click();
      await window.page.keyboard.type('The weather');
      await window.page.keyboard.press('Control+Enter');
      await expect.poll(() => frame.locator('.written').allInnerTexts()).toEqual(texts);
      await frame.locator('.numbers', { hasText: 'tokens/s' }).last().waitFor();
      await close(title);
    };
    await window.contextMenu(model, 'Open Playground');
    await window.pick('No adapter');
    await writes('Playground: language/model.onnx', ['The weather in the north is cold and clear.']);
    await window.contextMenu(model, 'Open Playground');
    await window.pick('Choose an adapter folder');
    const dialog = window.page.locator('.quick-input-widget', { hasText: 'Select the adapter folder' });
    // The dialog starts in the model's folder.
    const folder = dialog.locator('.monaco-list-row', { hasText: 'adapter' });
    await folder.click();
    await folder.waitFor({ state: 'detached' });
    await dialog.getByRole('button', { name: 'Open with This Adapter' }).click();
    await writes('Playground: language/model.onnx + adapter', [
      'The weather is a soup of rain and salt.',
      'The weather in the north is cold and clear.',
    ]);
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
