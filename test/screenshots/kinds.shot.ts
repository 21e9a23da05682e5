import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startWorkbench, THEMES, type ThemeName } from '../../scripts/lib/workbench/server.mjs';
import { closeBrowser } from '../vscode/driver/browser';
import { pictureOnFailure } from '../vscode/driver/on-failure';
import { Window } from '../vscode/driver/window';
import { Wizard } from '../vscode/driver/wizard';
import { faintTexts } from '../webview/contrast';
import { KINDS, makeKinds } from './kinds';
import { choose, look } from './look';

const ROOT = join(__dirname, '..', '..');
/** Pages show the paths of runs: so it is always this one. */
const workspace = join(tmpdir(), 'aurora-kinds');
const themes = (process.env.AURORA_THEMES?.split(',') ?? Object.keys(THEMES)) as ThemeName[];
/** AURORA_KINDS limits the kinds, for a quick look. */
const wanted = process.env.AURORA_KINDS?.split(',');
const kinds = KINDS.filter(({ name }) => wanted?.includes(name) ?? true);

beforeAll(() => {
  if (!process.env.AURORA_KEEP) makeKinds(workspace, kinds);
});
afterAll(async () => {
  await closeBrowser();
  if (!process.env.AURORA_KEEP) rmSync(workspace, { recursive: true, force: true });
});

describe.each(themes)('each kind of task in %s', (theme) => {
  test('is drawn and legible', { timeout: 900_000 }, async () => {
    const server = await startWorkbench({
      version: '1.139',
      name: `kinds-${theme}`,
      extension: ROOT,
      theme,
      settings: { 'window.commandCenter': false, 'workbench.layoutControl.enabled': false },
    });
    let window: Window;
    pictureOnFailure(() => window);
    try {
      window = await Window.open(server, workspace, { width: 1280, height: 860 });
      await window.sideBar();
      for (const { name, steps } of kinds) {
        if (steps) await wizard(window, steps, `${name}-${theme}`);
        await pages(window, name, theme);
      }
    } finally {
      await server.stop();
    }
  });
});

/** Answers *New Experiment* up to its settings, with a picture of each step. */
async function wizard(window: Window, steps: readonly [string, string][], name: string): Promise<void> {
  const wizard = new Wizard(window);
  await window.palette('View: Close All Editors');
  await window.palette('AuroRA: New Experiment');
  for (const [i, [question, answer]] of steps.entries()) {
    await wizard.asks(question);
    if (i > 0) {
      await window.settled();
      await window.screenshot(`wizard-${i}-${name}`);
    }
    if (answer === 'OK') await wizard.ok();
    else if (answer === 'Enter') await window.page.keyboard.press('Enter');
    // There are more kinds than fit, so the row may not be drawn.
    else if (question === 'kind of task') await wizard.find(question, answer);
    else await window.pick(answer);
  }
  await wizard.asks(/Select settings|Select a method/);
  await window.settled();
  await window.screenshot(`wizard-${steps.length}-${name}`);
  await window.page.keyboard.press('Escape');
}

async function pages(window: Window, kind: string, theme: string): Promise<void> {
  const runs = readdirSync(join(workspace, kind, '.aurora/runs', kind));
  await choose(window, 'AuroRA: Open Run Dashboard', runs);
  const dashboard = await look(window, 'aurora-run canvas', `run-${kind}-${theme}`);
  if (await dashboard.locator('aurora-pictures table').count()) await strip(window, dashboard, theme);
  await choose(window, 'AuroRA: Show Errors', runs);
  await look(window, 'aurora-errors .list tbody tr', `errors-${kind}-${theme}`);
  await choose(window, 'AuroRA: Open Playground', runs);
  const page = await window.frameWith('aurora-playground [data-action=sample]');
  await page.locator('[data-action=sample]').click();
  await page.locator('.truth-line').waitFor();
  if (await page.locator('[data-action=ask]', { hasText: /Generate|Draw/ }).count())
    await page.locator('[data-action=ask]').click();
  await page.locator('.card .numbers').last().waitFor();
  await page.locator('.card progress').waitFor({ state: 'detached' });
  await look(window, 'aurora-playground .card', `playground-${kind}-${theme}`);
  await choose(window, 'AuroRA: Show Layer Activations', runs);
  // Not all cards are in sight, and only those are drawn.
  const layers = await window.frameWith('aurora-layer-card canvas');
  await window.settled();
  await window.screenshot(`activations-${kind}-${theme}`);
  await layers.locator('aurora-layer-card').first().click();
  await layers.locator('.chart-box').focus();
  await filledBin(window, layers);
  await layers.locator('.words').evaluate((e) => e.scrollIntoView({ block: 'center' }));
  await window.settled();
  await window.screenshot(`layer-${kind}-${theme}`);
  expect.soft(await faintTexts(layers)).toEqual([]);
}

/** The pictures over training time, and one of them enlarged. */
async function strip(window: Window, page: Frame, theme: string): Promise<void> {
  const pictures = page.locator('aurora-pictures');
  await pictures.evaluate((e) => e.scrollIntoView({ block: 'center' }));
  await window.settled();
  await window.screenshot(`strip-${theme}`);
  await pictures.locator('button').last().press('Enter');
  await page.locator('dialog[open] img').nth(1).waitFor();
  await window.settled();
  await window.screenshot(`strip-large-${theme}`);
  await page.locator('dialog[open]').press('Escape');
}

/** From the middle to the right, the first bin with something in it. */
async function filledBin({ page }: Window, layers: Frame): Promise<void> {
  const said = layers.locator('.words[data-bin]');
  for (
    let bin = '';
    (await layers.locator('.words li').count()) === 0;
    await page.keyboard.press('ArrowRight')
  ) {
    await page.keyboard.press('Enter');
    await expect.poll(() => said.getAttribute('data-bin')).not.toBe(bin);
    bin = (await said.getAttribute('data-bin'))!;
  }
}
