import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startWorkbench, type WorkbenchServer } from '../../scripts/lib/workbench/server.mjs';
import { png } from '../png';
import { closeBrowser } from './driver/browser';
import { hostErrors } from './driver/host';
import { pictureOnFailure } from './driver/on-failure';
import { Window } from './driver/window';
import { Wizard } from './driver/wizard';
import { vsixHere } from './vsix';
import { tinyWorkspace } from './workspace';

/** Several processes start, and each loads a runtime. */
const SLOW = { timeout: 600_000 };

/** From a small random pipeline and a few images to the pictures of a run, and more of them in the Playground. */
describe('an experiment on pictures, in VS Code 1.100', () => {
  const lab = tinyWorkspace();
  const experiment = lab.path('dog.aurora.json');
  const runs = join(lab.folder, '.aurora/runs/dog');
  let server: WorkbenchServer;
  let window: Window;
  let wizard: Wizard;

  beforeAll(async () => {
    for (const file of [
      'tiny.aurora.json',
      'model.onnx',
      'train.jsonl',
      'validation.jsonl',
      'tokenizer.json',
    ])
      rmSync(lab.path(file));
    cpSync('test/fixtures/diffusers/sd', lab.path('sd'), { recursive: true });
    for (let i = 0; i < 4; i++)
      lab.write(
        `dog/${i}.png`,
        png(36, 36, (x, y) => [60 * i, (x * y) % 255, 200 - 40 * i]),
      );
    server = await startWorkbench({ version: '1.100', name: 'pictures', vsix: vsixHere() });
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

  test('New Experiment finds the pipeline, the kind of task and the folder, and suggests a prompt', async () => {
    await window.palette('AuroRA: New Experiment');
    await wizard.asks('model to adapt');
    expect((await wizard.rows()).join('\n')).not.toMatch(/unet|text_encoder/);
    await window.pick('sd');
    await wizard.accept('kind of task');
    await wizard.choose('images of the subject', 'dog');
    await wizard.accept('The prompt of all images');
    await wizard.choose('Select images of others of its class', 'None');
    await wizard.choose('Select a method', 'AuroRA');
    await wizard.asks('Select the layers');
    await wizard.ok();
    await wizard.accept('Select a rank');
    await window.input('The file name of the experiment', 'dog.aurora.json');
    await window.tab('dog.aurora.json').waitFor();
    const text = readFileSync(experiment, 'utf8');
    for (const line of [
      '"path": "sd"',
      '"type": "subject-generation", "instancePrompt": "a photo of sks dog"',
      '"train": "dog"',
      '"targetModules": ["to_q", "to_k", "to_v", "to_out.0"]',
      '"pictures": { "prompts": ["a photo of sks dog"], "every": 100 }',
    ])
      expect(text).toContain(line);
    expect(text).not.toMatch(/maxLength|tokenizer|textColumn|validation/);
  });

  test(
    'its dashboard shows the pictures that it draws, and enlarges one beside the base model’s',
    SLOW,
    async () => {
      const short = readFileSync(experiment, 'utf8')
        .replace('"epochs": 100', '"epochs": 1')
        .replace('"evaluateEvery": 100', '"evaluateEvery": 2')
        .replace('"every": 100', '"every": 2, "steps": 2')
        .replace('"type": "subject-generation"', '"type": "subject-generation", "resolution": 32');
      writeFileSync(experiment, short);
      await window.palette('AuroRA: Run Experiment');
      await expect.poll(() => existsSync(runs) && readdirSync(runs).length).toBe(1);
      const page = await window.frameWith('aurora-run aurora-pictures table');
      const strip = page.locator('aurora-pictures');
      const heads = () => strip.locator('thead th').allInnerTexts();
      await expect.poll(heads, { timeout: 300_000 }).toEqual(['Prompt', 'Base model', 'Step 2', 'Step 4']);
      await strip.locator('button').last().scrollIntoViewIfNeeded();
      // VS Code has let the page read the files of this folder.
      await expect.poll(() => drawn(page)).toEqual([32, 32, 32]);
      await strip.locator('button').last().press('Enter');
      await expect.poll(() => loaded(page)).toEqual([32, 32]);
      await page.locator('dialog[open]').getByText('Open File').nth(1).click();
      await window.tab('step-000004-0.png').waitFor();
    },
  );

  test('the Playground draws another one, adapted and base', SLOW, async () => {
    await window.palette('AuroRA: Open Playground');
    await window.pick('AuroRA r2');
    const page = await window.frameWith('aurora-playground [name=steps]');
    await page.locator('[name=steps]').fill('2');
    await page.locator('textarea').first().fill('a cat');
    await page.locator('[data-action=ask]').click();
    await expect.poll(() => page.locator('img.drawn').count()).toBe(2);
  });

  test('the log has no errors from the extension', () => expect(hostErrors(server.profile)).toEqual([]));
});

const drawn = (page: Frame): Promise<number[]> =>
  page.locator('aurora-thumb canvas').evaluateAll((all) => all.map((c) => (c as HTMLCanvasElement).width));

const loaded = (page: Frame): Promise<number[]> =>
  page.locator('dialog[open] img').evaluateAll((all) => all.map((i) => (i as HTMLImageElement).naturalWidth));
