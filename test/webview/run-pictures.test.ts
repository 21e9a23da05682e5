import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runPaths } from '../../src/runs/layout';
import { LOOKS } from './harness';
import { RunFolder, trained, watching, type Watched } from './run-fixture';
import { expectSoundInAllLooks } from './sound';

const watch = watching();

const strip = ({ page }: Watched) => page.locator('[data-section=pictures]');
const picture = (w: Watched, prompt: number, moment: number | 'base') =>
  strip(w).locator(`button[data-prompt="${prompt}"][data-moment="${moment}"]`);
/** The pictures that were drawn. */
const drawn = (w: Watched) =>
  strip(w)
    .locator('aurora-thumb canvas')
    .evaluateAll((all) => all.filter((c) => (c as HTMLCanvasElement).width > 1).length);
/** The share of a picture's thumbnail that its square covers. */
const brightness = (w: Watched, prompt: number, moment: number | 'base') =>
  picture(w, prompt, moment)
    .locator('canvas')
    .evaluate((c) => {
      const canvas = c as HTMLCanvasElement;
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((v, i) => i % 4 === 0 && v > 200).length / (canvas.width * canvas.height);
    });

async function withPictures(steps: readonly number[], state = 'finished'): Promise<RunFolder> {
  const run = trained('a', 300, state);
  await run.pictures(steps);
  return run;
}

describe('the pictures of a run', () => {
  it('have no problems in any theme and width, nor has an enlarged one', async () => {
    const run = await withPictures([100, 200, 300]);
    const w = await watch([run.folder], LOOKS[0]);
    const sound = { opened: w, errors: [] };
    await strip(w).scrollIntoViewIfNeeded();
    // The rest of them are beyond the edge of a narrow window.
    await expect.poll(() => drawn(w)).toBeGreaterThan(4);
    await expectSoundInAllLooks(sound, 'run-pictures', 20);
    await picture(w, 1, 200).click();
    await w.page.locator('dialog[open] img').nth(1).waitFor();
    await expectSoundInAllLooks(sound, 'run-pictures-large', 20);
  });

  it('show the base model first, then each evaluation, and follow the run', async () => {
    const run = await withPictures([100], 'running');
    const w = await watch([run.folder]);
    const heads = () => strip(w).locator('thead th').allInnerTexts();
    expect(await heads()).toEqual(['Prompt', 'Base model', 'Step 100']);
    await strip(w).scrollIntoViewIfNeeded();
    await expect.poll(() => drawn(w)).toBe(4);
    expect(await brightness(w, 0, 100)).toBeGreaterThan((await brightness(w, 0, 'base')) + 0.01);
    await run.pictures([100, 300]);
    await expect.poll(heads).toEqual(['Prompt', 'Base model', 'Step 100', 'Step 300']);
    await expect.poll(() => drawn(w)).toBe(6);
    expect(await strip(w).locator('[role=status]').innerText()).toBe('Pictures of step 300 were drawn.');
  });

  it('are none for a run that drew none', async () => {
    const w = await watch([trained('a', 300).folder]);
    expect(await strip(w).count()).toBe(0);
  });

  it('are reached with the arrow keys and enlarged beside the base model’s with Enter', async () => {
    const run = await withPictures([100, 200, 300]);
    const w = await watch([run.folder]);
    // Tab enters at the newest one.
    await picture(w, 0, 300).focus();
    expect(await strip(w).locator('.picture[tabindex="0"]').count()).toBe(1);
    await w.page.keyboard.press('ArrowDown');
    await w.page.keyboard.press('ArrowLeft');
    const focused = () => w.page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    expect(await focused()).toMatch(/^Step 200: a photo of sks dog on the moon/);
    await w.page.keyboard.press('Enter');
    const dialog = w.page.locator('dialog[open]');
    const alts = () =>
      dialog.locator('img').evaluateAll((all) => all.map((i) => (i as HTMLImageElement).alt));
    await expect
      .poll(alts)
      .toMatchObject([/^Base model: .*moon/, /^Step 200: /].map((m) => expect.stringMatching(m)));
    expect(await dialog.locator('figcaption').nth(1).innerText()).toContain('validation loss');
    await dialog.locator('input[type=range]').focus();
    await w.page.keyboard.press('ArrowRight');
    await expect.poll(async () => (await alts())[1]).toMatch(/^Step 300: /);
    await dialog.getByText('Next Prompt').click();
    await expect.poll(async () => (await alts())[1]).toBe('Step 300: a photo of sks dog');
    await dialog.getByText('Open File').nth(1).click();
    expect((await w.sent()).at(-1)).toEqual({
      type: 'openPicture',
      run: run.folder,
      file: 'step-000300-0.png',
    });
    await w.page.keyboard.press('Escape');
    await expect.poll(() => dialog.count()).toBe(0);
    // The focus moves in the dialog's own event, a task later.
    await expect.poll(focused).toBe('Step 300: a photo of sks dog');
  });

  it('are loaded only when they come into view', async () => {
    const run = new RunFolder('long', 10_000);
    run.start();
    run.append(1, 200);
    run.status('finished', 10_000);
    await run.pictures(
      Array.from({ length: 60 }, (_, i) => 100 + i * 100),
      { side: 16, prompts: Array.from({ length: 8 }, (_, i) => `prompt ${i}`) },
    );
    const w = await watch([run.folder]);
    const loaded: string[] = [];
    w.page.on('request', (r) => loaded.push(r.url()));
    await strip(w).scrollIntoViewIfNeeded();
    await picture(w, 7, 6000).scrollIntoViewIfNeeded();
    await expect
      .poll(async () => (await picture(w, 7, 6000).locator('canvas').getAttribute('width')) !== '1')
      .toBe(true);
    await w.page.waitForTimeout(300);
    expect(loaded.length).toBeGreaterThan(8);
    expect(loaded.length).toBeLessThan(200);
  });

  it('follow the newest one, beside the prompt and the base model’s, until the user scrolls away', async () => {
    const run = await withPictures([100, 150, 200, 250, 280, 300], 'running');
    const w = await watch([run.folder], { width: 720 });
    await strip(w).scrollIntoViewIfNeeded();
    const box = async (moment: number | 'base') => (await picture(w, 0, moment).boundingBox())!;
    const end = async (moment: number) => Math.round((await box(moment)).x + (await box(moment)).width);
    await expect.poll(() => end(300)).toBeLessThanOrEqual(720);
    const prompt = (await strip(w).locator('tbody th').first().boundingBox())!;
    expect(Math.round((await box('base')).x - (prompt.x + prompt.width))).toBeLessThan(4);
    await strip(w)
      .locator('.scroll')
      .evaluate((e) => (e.scrollLeft = 0));
    await w.page.waitForTimeout(100);
    await run.pictures([100, 150, 200, 250, 280, 300, 310]);
    await picture(w, 0, 310).waitFor({ state: 'attached' });
    expect(await end(310)).toBeGreaterThan(720);
  });

  it('say which file cannot be read or was not drawn', async () => {
    const run = await withPictures([100]);
    rmSync(join(runPaths(run.folder).pictures, 'step-000100-1.png'));
    const w = await watch([run.folder]);
    await picture(w, 1, 100).scrollIntoViewIfNeeded();
    await expect.poll(() => picture(w, 1, 100).innerText()).toBe('unreadable');
  });

  it('of several runs are those of the chosen one', async () => {
    const [a, b] = [await withPictures([100]), trained('b', 300)];
    await b.pictures([200, 300]);
    const w = await watch([a.folder, b.folder]);
    expect(await strip(w).locator('thead th').count()).toBe(3);
    await strip(w).locator('vscode-dropdown').click();
    await strip(w).locator('vscode-option').nth(1).click();
    await expect.poll(() => strip(w).locator('thead th').count()).toBe(4);
  });
});
