import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import { startWorkbench, THEMES, type ThemeName } from '../../scripts/lib/workbench/server.mjs';
import { closeBrowser } from '../vscode/driver/browser';
import { pictureOnFailure } from '../vscode/driver/on-failure';
import { Window } from '../vscode/driver/window';
import { Wizard } from '../vscode/driver/wizard';
import { choose, legible, look } from './look';

const ROOT = join(__dirname, '..', '..');
const NAME = 'debian-sections';
/** `npm run screenshots` trains in this folder first. */
const workspace = process.env.AURORA_SCREENSHOTS!;
const runs = join(workspace, '.aurora/runs', NAME);
/** AURORA_THEMES limits the themes, for a quick look. */
const themes = (process.env.AURORA_THEMES?.split(',') ?? Object.keys(THEMES)) as ThemeName[];

/**
 * A run that continues while the pictures are taken, with a single thread so that the workbench gets the rest
 * of the machine.
 */
let trainer: ChildProcess;
let live = '';
beforeAll(async () => {
  const before = new Set(readdirSync(runs));
  const cli = join(ROOT, 'dist/cli.cjs');
  const settings = ['--set', 'training.epochs=40', '--threads', '1'];
  trainer = spawn(process.execPath, [cli, 'train', `${join(workspace, NAME)}.aurora.json`, ...settings], {
    stdio: 'ignore',
  });
  const started = () => {
    const id = readdirSync(runs).find((name) => !before.has(name));
    if (id) live = join(runs, id);
    if (!live || !existsSync(join(live, 'scalars.bin'))) throw new Error('The run does not begin.');
  };
  await vi.waitFor(started, { timeout: 60_000, interval: 200 });
});
afterAll(async () => {
  const gone = new Promise((resolve) => trainer.once('exit', resolve));
  trainer.kill('SIGKILL');
  await gone;
  if (live) rmSync(live, { recursive: true, force: true });
  await closeBrowser();
});

describe.each(themes)('the views in %s', (theme) => {
  test('are all drawn and legible', { timeout: 900_000 }, async () => {
    const server = await startWorkbench({
      version: '1.139',
      name: `screenshots-${theme}`,
      extension: ROOT,
      theme,
      env: { AURORA_DOCTOR_SECONDS: '1' },
      settings: { 'window.commandCenter': false, 'workbench.layoutControl.enabled': false },
    });
    try {
      let window: Window;
      pictureOnFailure(() => window);
      for (const [part, folder] of [
        [withoutFolder, undefined],
        [withRuns, workspace],
      ] as const) {
        window = await Window.open(server, folder, SIZE);
        await part(window, theme);
        await window.page.close();
      }
    } finally {
      await server.stop();
    }
  });
});

const PREVIEW_MS = 4000;
/** One second for each device after compilation, beside a run. */
const CHECK_MS = 600_000;
/** AURORA_WIDTH=900 shows the views in a narrow window. */
const SIZE = { width: Number(process.env.AURORA_WIDTH ?? 1280), height: 860 };

async function withoutFolder(window: Window, theme: string): Promise<void> {
  await window.sideBar();
  await window.pane('Experiments').getByRole('button', { name: 'Run the Demo' }).waitFor();
  await window.palette('AuroRA: Get Started');
  await window.page.locator('.getting-started-step').first().waitFor();
  await window.settled();
  await window.screenshot(`welcome-${theme}`);
  // With a side bar open, VS Code has no room for a walkthrough's steps.
  await window.page.keyboard.press('Control+B');
  await window.settled();
  await window.screenshot(`walkthrough-${theme}`);
}

async function withRuns(window: Window, theme: string): Promise<void> {
  const { page } = window;
  await window.sideBar();
  await window.expand(window.row(NAME));
  await window.openFile(`${NAME}.aurora.json`);
  await page.locator('.codelens-decoration', { hasText: 'trainable' }).waitFor();
  await page.locator('.sidebar .pane-header', { hasText: 'Machine' }).click();
  await window.row('ONNX Runtime').waitFor();
  await window.settled();
  await window.screenshot(`experiment-${theme}`);
  await page
    .locator('.view-line', { hasText: '"rank"' })
    .locator('span', { hasText: '"rank"' })
    .last()
    .hover();
  await page.locator('.monaco-hover:visible', { hasText: 'rank' }).first().waitFor();
  await page.waitForTimeout(500);
  await window.screenshot(`hover-${theme}`);
  await page.locator('.sidebar .pane-header', { hasText: 'Machine' }).click();

  await window.palette('AuroRA: Run Preflight');
  await report(window, /Show Report/, 'h2');
  await window.screenshot(`preflight-${theme}`);

  // The README does not show it, and it takes minutes.
  if (!process.env.AURORA_README) await machine(window, theme);
  await wizard(window, theme);

  const [aurora, lora] = readdirSync(runs).sort();
  await choose(window, 'AuroRA: Open Run Dashboard', [basename(live)]);
  await look(window, 'aurora-run canvas', `live-${theme}`);
  await choose(window, 'AuroRA: Open Run Dashboard', [aurora]);
  await look(window, 'aurora-run canvas', `run-${theme}`);
  await choose(window, 'AuroRA: Compare Runs', [aurora, lora]);
  await look(window, 'aurora-run canvas', `compare-${theme}`);

  await choose(window, 'AuroRA: Show Layer Activations', [aurora]);
  const layers = await look(window, 'aurora-layer-card canvas', `activations-${theme}`);
  await layers.locator('aurora-layer-card').first().click();
  await layers.locator('.chart-box').focus();
  await page.keyboard.press('Enter');
  await layers.locator('.words li').first().waitFor();
  await layers.locator('section.large').evaluate((e) => e.scrollIntoView());
  await window.settled();
  await window.screenshot(`layer-${theme}`);
  await legible(layers);

  await choose(window, 'AuroRA: Show Errors', [aurora]);
  const errors = await look(window, 'aurora-errors .matrix', `errors-${theme}`);
  await errors.locator('.matrix td.wrong:not(.shade-0)').first().click();
  await errors.locator('.chip').first().waitFor();
  await window.settled();
  await window.screenshot(`errors-list-${theme}`);
  await legible(errors);

  await window.palette('View: Close All Editors');
  await window.contextMenu(window.row(NAME), 'Open Study');
  await look(window, 'aurora-study figure svg', `study-${theme}`);
  await window.palette('View: Close All Editors');
  await window.palette('AuroRA: Show Runs Table');
  await look(window, 'aurora-runs .row', `runs-table-${theme}`);
  await choose(window, 'AuroRA: Open Playground', [aurora]);
  const playground = await window.frameWith('aurora-playground textarea');
  await playground
    .locator('textarea')
    .fill('A small web server written in Rust, with certificates that renew themselves');
  await playground.locator('[data-action="compare"]').click();
  await window.pick(`· ${lora.slice(-8, -4)}`);
  await page.keyboard.press('Enter');
  await playground.locator('.card').nth(2).locator('.verdict').waitFor();
  await look(window, 'aurora-playground .verdict', `playground-${theme}`);

  await window.openFile(`${NAME}.aurora.json`);
  await window.palette('AuroRA: Open Budget Calculator');
  await look(window, 'aurora-budget svg', `budget-${theme}`);
}

/** A check of this machine (the view's rows and the report), then the experiment on both engines. */
async function machine(window: Window, theme: string): Promise<void> {
  const { page } = window;
  const fold = (view: string) => window.pane(view).locator('.pane-header').click();
  await fold('Experiments');
  await fold('Machine');
  await window.palette('AuroRA: Check This Machine');
  // Beside the live run.
  await window.modal('A run is training on this machine.', 'Check Anyway');
  await report(window, /Fastest device/, 'h2:has-text("Training speed")');
  await page.mouse.move(0, 0);
  await window.screenshot(`machine-${theme}`);
  await fold('Machine');
  await fold('Experiments');
  await window.openFile(`${NAME}.aurora.json`);
  await window.palette('AuroRA: Verify Experiment on Both Engines');
  await report(window, /The engines agree/, 'h1:has-text("Engine comparison")');
  await window.screenshot(`verify-${theme}`);
}

/** Waits for a command's final message and opens its report. */
async function report(window: Window, says: RegExp, heading: string): Promise<void> {
  await window.toast(says).waitFor({ timeout: CHECK_MS });
  await window.pressToast(says, 'Show Report');
  await window.frameWith(heading);
  // The preview fades in once its style sheets have loaded.
  await window.page.waitForTimeout(PREVIEW_MS);
}

/** The steps of a new experiment up to the choice of the layers to adapt. */
async function wizard(window: Window, theme: string): Promise<void> {
  const { page } = window;
  const asked = new Wizard(window);
  await window.palette('AuroRA: New Experiment');
  await asked.accept('Select the model to adapt');
  await asked.choose('Select the kind of task', 'Text classification');
  await asked.choose('Select the output', 'last_hidden_state');
  await asked.choose('labeled training texts', 'train.jsonl');
  await asked.choose('Select the text column', 'text');
  await asked.choose('Select the second text column', 'None');
  await asked.choose('Select the label column', 'label');
  await asked.choose('Select validation data', 'validation.jsonl');
  await asked.asks('Select settings');
  await window.settled();
  await window.screenshot(`recipes-${theme}`);
  await asked.choose('Select settings', 'Defaults');
  await asked.choose('Select a method', 'AuroRA');
  await asked.asks('Select the layers');
  await window.settled();
  await window.screenshot(`wizard-${theme}`);
  await page.keyboard.press('Escape');
}
