import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
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
  cpSync(join(workspace, 'tiny-bert'), join(workspace, 'tiny-decoder'), { recursive: true });
  const config = JSON.parse(readFileSync(join(workspace, 'tiny-bert/config.json'), 'utf8')) as object;
  writeFileSync(
    join(workspace, 'tiny-decoder/config.json'),
    JSON.stringify({ ...config, is_decoder: true, position_embedding_type: 'relative_key' }),
  );
  const rows = Array.from({ length: 40 }, (_, i) =>
    JSON.stringify({ text: 'the cat', label: i % 2 ? 'a' : 'b' }),
  );
  for (const name of ['train.jsonl', 'validation.jsonl'])
    writeFileSync(join(workspace, name), `${rows.join('\n')}\n`);
  // A run whose details say what its quantization costs.
  const experiment = join(workspace, 'quantized.aurora.json');
  writeFileSync(
    experiment,
    JSON.stringify({
      model: { path: 'tiny-bert', quantize: 4, maxLength: 24 },
      data: {
        train: 'train.jsonl',
        validation: 'validation.jsonl',
        textColumn: 'text',
        labelColumn: 'label',
      },
      adapter: { method: 'aurora' },
      training: { epochs: 1 },
    }),
  );
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'dist/cli.cjs'), 'train', experiment]);
  if (status !== 0) throw new Error(String(stderr));
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
      const menu = window.page.locator('.monaco-menu', { hasText: 'New Experiment from Model' });
      // A moment after the window opens, the menus know which folders are models.
      await vi.waitFor(async () => {
        await window.page.keyboard.press('Escape');
        await folder.click({ button: 'right' });
        await menu.waitFor({ timeout: 3000 });
      }, 60_000);
      await picture('menu');
      await window.page.keyboard.press('Escape');
      await window.contextMenu(folder, 'New Experiment from Model');
      await wizard(window, picture);
      await window.sideBar();
      await window.pane('Models').locator('.pane-header').click();
      await refused(window, picture);
      await window.palette('View: Close All Editors');
      await window.expand(window.row('tiny-bert'));
      await window.row('per step').waitFor();
      await picture('models');
      await window.palette('View: Close All Editors');
      await window.expand(window.row('quantized'));
      await window.row('AuroRA r2').hover();
      await window.page.locator('.monaco-hover', { hasText: 'Cost of quantization' }).waitFor();
      await window.screenshot(`hub-details-${theme}`);
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
  await wizard.classifyTexts();
  await wizard.acceptAdapter();
  await wizard.asks('Select the longest text');
  await estimated();
  await picture('length');
  await wizard.accept('Select the longest text');
  await wizard.asks('Select the batch size');
  await estimated();
  await picture('batch');
  await window.page.keyboard.press('Escape');
}

/** A model that cannot be used: in the wizard, in its report and in the Models view. */
async function refused(window: Window, picture: (name: string) => Promise<void>): Promise<void> {
  const wizard = new Wizard(window);
  await window.palette('AuroRA: New Experiment');
  await wizard.choose('Select the model to adapt', 'tiny-decoder');
  await wizard.asks('tiny-decoder cannot be used');
  await picture('refused');
  await window.pick('Show Report');
  await window.tab('Preview tiny-decoder.md').waitFor();
  await window.page.keyboard.press('Escape');
  await picture('refused-report');
  await window.expand(window.row('tiny-decoder'));
  await window.row('is_decoder').waitFor();
  await picture('refused-row');
}
