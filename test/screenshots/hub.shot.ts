import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { startWorkbench, THEMES, type ThemeName } from '../../scripts/lib/workbench/server.mjs';
import { closeBrowser } from '../vscode/driver/browser';
import { pictureOnFailure } from '../vscode/driver/on-failure';
import { Window } from '../vscode/driver/window';
import { Wizard } from '../vscode/driver/wizard';

const ROOT = join(__dirname, '..', '..');
const workspace = join(tmpdir(), 'aurora-hub');
const themes = (process.env.AURORA_THEMES?.split(',') ?? Object.keys(THEMES)) as ThemeName[];

/** A folder from the hub, and data. */
beforeAll(() => {
  rmSync(workspace, { recursive: true, force: true });
  mkdirSync(workspace);
  cpSync(resolve('test/fixtures/hf/bert'), join(workspace, 'tiny-bert'), { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    cpSync(resolve('test/fixtures/data/wordpiece', name), join(workspace, 'tiny-bert', name));
  const rows = Array.from({ length: 40 }, (_, i) =>
    JSON.stringify({ text: 'the cat', label: i % 2 ? 'a' : 'b' }),
  );
  for (const name of ['train.jsonl', 'validation.jsonl'])
    writeFileSync(join(workspace, name), `${rows.join('\n')}\n`);
});
afterAll(async () => {
  await closeBrowser();
  rmSync(workspace, { recursive: true, force: true });
});

describe.each(themes)('a folder from the hub in %s', (theme) => {
  test('is drawn', { timeout: 900_000 }, async () => {
    const server = await startWorkbench({
      version: '1.139',
      name: `hub-${theme}`,
      extension: ROOT,
      theme,
      settings: { 'window.commandCenter': false, 'workbench.layoutControl.enabled': false },
    });
    let window: Window;
    pictureOnFailure(() => window);
    const picture = async (name: string) => {
      await window.settled();
      await window.screenshot(`hub-${name}-${theme}`);
    };
    try {
      window = await Window.open(server, workspace, { width: 1280, height: 860 });
      await window.palette('View: Show Explorer');
      const folder = window.page
        .locator('.explorer-folders-view .monaco-list-row', { hasText: 'tiny-bert' })
        .first();
      await folder.click({ button: 'right' });
      await window.page.locator('.monaco-menu', { hasText: 'New Experiment from Model' }).waitFor();
      await picture('menu');
      await window.page.keyboard.press('Escape');
      await window.contextMenu(folder, 'New Experiment from Model');
      await wizard(window, picture);
      await window.sideBar();
      await window.pane('Models').locator('.pane-header').click();
      await window.expand(window.row('tiny-bert'));
      await window.row('Training step').waitFor();
      await picture('models');
      await window.contextMenu(window.row(/^tiny-bert/), 'Open Budget Calculator');
      const page = await window.frameWith('aurora-budget .total strong');
      await page.locator('section.step').getByText('Estimate', { exact: true }).click();
      const time = page.locator('section.step dt', { hasText: 'Time' });
      await time.waitFor();
      for (const width of [1280, 320]) {
        await window.page.setViewportSize({ width, height: 860 });
        if (width < 1000) await window.palette('View: Close Primary Side Bar');
        await time.scrollIntoViewIfNeeded();
        await picture(`calculator-${width}`);
      }
    } finally {
      await server.stop();
    }
  });
});

/** Up to the batch size, with a picture of each step that says what the model takes. */
async function wizard(window: Window, picture: (name: string) => Promise<void>): Promise<void> {
  const wizard = new Wizard(window);
  const estimated = () => window.page.locator('.quick-input-list', { hasText: 'per step' }).waitFor();
  await wizard.asks('Select the kind of task');
  await picture('task');
  await window.pick('Text classification');
  await wizard.choose('labeled training texts', 'train.jsonl');
  await wizard.choose('Select the text column', 'text');
  await wizard.choose('Select the label column', 'label');
  await wizard.choose('Select validation data', 'validation.jsonl');
  await wizard.choose('Select settings', 'Defaults');
  await wizard.choose('Select a method', 'AuroRA');
  await wizard.asks('Select the layers');
  await wizard.ok();
  await wizard.accept('Select a rank');
  await wizard.asks('Select the longest text');
  await estimated();
  await picture('length');
  await wizard.accept('Select the longest text');
  await wizard.asks('Select the batch size');
  await estimated();
  await picture('batch');
  await window.page.keyboard.press('Escape');
}
