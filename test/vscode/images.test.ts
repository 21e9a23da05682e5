import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { pictured, writePictures } from '../cli/pictures';
import { binWithTokens } from './driver/activations';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { Wizard } from './driver/wizard';
import { statusOf } from './journal';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/** From a vision transformer and a folder of images to a run, its errors and the Playground. */
describe('an image experiment, in VS Code 1.100', () => {
  const lab = tinyWorkspace();
  const name = `${basename(lab.folder)}-aurora`;
  const runs = join(lab.folder, '.aurora/runs', name);
  let server: WorkbenchServer;
  let window: Window;
  let wizard: Wizard;

  beforeAll(async () => {
    for (const file of ['tiny.aurora.json', 'train.jsonl', 'validation.jsonl', 'tokenizer.json'])
      rmSync(lab.path(file));
    lab.write('model.onnx', readFileSync(resolve('test/fixtures/reference/vit.onnx')));
    writePictures(lab, 96);
    for (let i = 0; i < 96; i++) {
      const split = i < 72 ? 'train' : 'held-out';
      lab.write(`${split}/${pictured(i)}/${i}.png`, readFileSync(lab.path(`images/${i}.png`)));
    }
    rmSync(lab.path('images'), { recursive: true });
    server = await startWorkbench({ version: '1.100', name: 'images', vsix: vsixHere() });
    window = await Window.open(server, lab.folder);
    wizard = new Wizard(window);
    await window.sideBar();
  });
  beforeEach(() => pictureOnFailure(window));
  afterAll(async () => {
    await server?.stop();
    await closeBrowser();
    lab.remove();
  });

  test('New Experiment finds the kind of task and the folders', async () => {
    await window.palette('AuroRA: New Experiment');
    await wizard.choose('model to adapt', 'model.onnx');
    await wizard.accept('kind of task');
    await wizard.choose('Select the training images', 'train');
    await wizard.choose('Select validation data', 'held-out');
    await wizard.acceptDefaults('image');
    await window.tab(`${name}.aurora.json`).waitFor();
    const text = readFileSync(lab.path(`${name}.aurora.json`), 'utf8');
    expect(text).toContain('"type": "image-classification"');
    expect(text).toContain('"train": "train"');
    expect(text).toContain('"validation": "held-out"');
    expect(text).not.toMatch(/maxLength|tokenizer|textColumn/);
  });

  test('it trains, and its errors show the images, each of which opens', async () => {
    await window.palette('AuroRA: Run Experiment');
    await expect.poll(() => existsSync(runs) && readdirSync(runs).length).toBe(1);
    const [id] = readdirSync(runs);
    await expect.poll(() => existsSync(join(runs, id, 'result.json')), { timeout: 600_000 }).toBe(true);
    await window.palette('AuroRA: Show Errors');
    const page = await window.frameWith('aurora-errors .matrix');
    const first = page.locator('.list tbody tr').first();
    await first.locator('img.thumbnail').waitFor();
    const image = await first.locator('.text').innerText();
    expect(image).toMatch(/^(cat|none)\/\d+\.png$/);
    await first.locator('button').press('Enter');
    await window.tab(basename(image)).waitFor();
  });

  test('a bin of an activation shows the patches of its images, and opens one', async () => {
    await window.palette('AuroRA: Show Layer Activations');
    const page = await window.frameWith('aurora-activations aurora-layer-card');
    const { link } = await binWithTokens(window, page);
    await page.locator('.words svg.image').first().waitFor();
    const [, image] = /(\d+\.png)/.exec(await page.locator('.words li .name').first().innerText())!;
    await link.press('Enter');
    await window.tab(image).waitFor();
  });

  test('the Playground asks about a validation image', async () => {
    await window.palette('AuroRA: Open Playground');
    await window.pick('AuroRA r2');
    const page = await window.frameWith('aurora-playground [data-action=sample]');
    await page.locator('[data-action=sample]').click();
    const truth = page.locator('.truth-line');
    await truth.waitFor();
    expect(await truth.innerText()).toMatch(/^held-out, .+ \d+\. Its label: (cat|none)$/);
    await page.locator('.card .verdict').first().waitFor();
  });

  test('Run the Image Demo trains a vision transformer of our own, until it is stopped', async () => {
    await window.palette('AuroRA: Run the Image Demo');
    const started = lab.path('aurora-demo-images/.aurora/runs/fashion');
    await expect.poll(() => existsSync(started) && readdirSync(started).length).toBe(1);
    const run = join(started, readdirSync(started)[0]);
    const state = () => statusOf(run).state;
    await expect.poll(() => statusOf(run).step, { timeout: 600_000 }).toBeGreaterThan(2);
    await window.palette('AuroRA: Stop Run');
    await expect.poll(state, { timeout: 600_000 }).toBe('stopped');
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});
