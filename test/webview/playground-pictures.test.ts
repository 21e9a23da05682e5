import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningProgram } from '../../src/extension/launcher/client';
import { PLAY_VARIANTS } from '../../src/protocol/play-question';
import type { PlayLine, PlayRequest } from '../../src/protocol/playground';
import { closePages, LOOKS } from './harness';
import { wire, type Wired, type WireOptions } from './playground-fixture';
import { expectSoundInAllLooks } from './sound';

const SHAPES = { input: 'text', answer: 'picture' } as const;
const STEPS = 4;
let png = '';
let open: Wired[] = [];

beforeAll(async () => {
  const noise = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 256));
  const file = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
    .png()
    .toBuffer();
  png = file.toString('base64');
});
afterEach(async () => {
  for (const w of open) await w.close();
  open = [];
});
afterAll(closePages);

/** Draws a step each time that it is called, first the adapted picture, then the base model's. */
class Studio {
  readonly requests: PlayRequest[] = [];
  private say: (line: PlayLine) => void = () => {};
  private asked: Extract<PlayRequest, { kind: 'draw' }> | undefined;
  private done = 0;

  readonly start = (onLine: (line: string) => void): Promise<RunningProgram> => {
    let end: () => void;
    this.say = (line) => onLine(JSON.stringify(line));
    return Promise.resolve({
      ended: new Promise((finish) => (end = () => finish({ code: 0, stdout: '', stderr: '' }))),
      kill: () => end(),
      send: (line) => this.receive(JSON.parse(line) as PlayRequest),
    });
  };

  private receive(r: PlayRequest): void {
    this.requests.push(r);
    if (r.kind === 'load')
      this.say({
        ...{ kind: 'loaded', subject: r.subject, ...SHAPES, name: 'x', step: 40, labels: [], base: 'model' },
        ...{ samples: false, assumed: [] },
        drawing: { steps: STEPS, guidance: 5, sampler: 'euler', width: 64, height: 64 },
      });
    if (r.kind === 'draw') [this.asked, this.done] = [r, 0];
    if (r.kind === 'stop' && this.asked) {
      this.say({ kind: 'answered', request: this.asked.request });
      this.asked = undefined;
    }
  }

  step(times = 1): void {
    for (let i = 0; i < times && this.asked; i++) {
      const variant = PLAY_VARIANTS[Math.floor(this.done / STEPS)];
      const of = { request: this.asked.request, subject: 'own', variant };
      this.done++;
      const step = ((this.done - 1) % STEPS) + 1;
      this.say({ kind: 'drawing', ...of, step, of: STEPS });
      if (step === STEPS) this.say({ kind: 'picture', ...of, width: 64, height: 64, png, seconds: 1.5 });
      if (this.done === 2 * STEPS) this.say({ kind: 'answered', request: of.request });
    }
  }
}

async function show(options: WireOptions = {}): Promise<{ w: Wired; studio: Studio }> {
  const studio = new Studio();
  const w = await wire(
    { kind: 'run', run: '/runs/dog', at: 'best' },
    { shapes: SHAPES, program: studio.start, ...options },
  );
  open.push(w);
  await w.page.locator('[name=steps]').waitFor();
  return { w, studio };
}
const action = (w: Wired, name: string) => w.page.locator(`[data-action="${name}"]`);
const card = (w: Wired, key: string) => w.page.locator(`[data-column="own ${key}"]`);
const prompt = (w: Wired) => w.page.locator('textarea').first();

describe('the playground of pictures', () => {
  it('has no problems in any theme and width, neither while it draws nor afterwards', async () => {
    const { w, studio } = await show(LOOKS[0]);
    await prompt(w).fill('a photo of sks dog');
    await action(w, 'ask').click();
    studio.step(STEPS + 1);
    await card(w, 'base').locator('progress').waitFor();
    await expectSoundInAllLooks(w, 'playground-drawing', 10);
    studio.step(STEPS);
    await w.page.locator('img.drawn').nth(1).waitFor();
    await expectSoundInAllLooks(w, 'playground-pictures', 10);
  });

  it('draws the prompt with the model’s own settings and what was changed, and shows each step', async () => {
    const { w, studio } = await show();
    const value = (name: string) => w.page.locator(`[name=${name}]`).inputValue();
    expect(await Promise.all(['steps', 'guidance', 'seed', 'width', 'height', 'sampler'].map(value))).toEqual(
      [...['4', '5', '0', '64', '64', 'euler']],
    );
    await prompt(w).fill('a photo of sks dog');
    await w.page.locator('textarea').nth(1).fill('blurry');
    await w.page.locator('[name=seed]').fill('7');
    await w.page.locator('[name=sampler]').selectOption('ddim');
    await prompt(w).press('Control+Enter');
    await expect
      .poll(() => studio.requests.at(-1))
      .toEqual({
        ...{ kind: 'draw', request: 1, text: 'a photo of sks dog', negative: 'blurry' },
        settings: { steps: 4, guidance: 5, seed: 7, width: 64, height: 64, sampler: 'ddim' },
      });
    studio.step(3);
    await expect.poll(() => card(w, 'adapted').innerText()).toContain('Step 3 of 4');
    expect(await card(w, 'adapted').locator('progress').getAttribute('value')).toBe('3');
    expect(await card(w, 'base').innerText()).toContain('Waiting for its turn…');
    studio.step(5);
    const picture = card(w, 'base').locator('img');
    await expect
      .poll(() => picture.getAttribute('alt'))
      .toBe('Base model (without the adapter): a photo of sks dog');
    expect(await picture.evaluate((i) => (i as HTMLImageElement).naturalWidth)).toBe(64);
    await expect
      .poll(() => w.page.locator('main > .visually-hidden[role=status]').innerText())
      .toContain('the picture is drawn');
    await card(w, 'base').locator('[data-action=save]').click();
    await expect.poll(() => w.saved).toEqual(['a photo of sks dog 7 Base model']);
    await expect
      .poll(() => w.page.locator('main').innerText())
      .toContain('Saved a photo of sks dog 7 Base model.png.');
  });

  it('is stopped by its button and by Escape, and says at which step', async () => {
    const { w, studio } = await show();
    await prompt(w).fill('a dog');
    for (const stop of [() => action(w, 'stop').click(), () => prompt(w).press('Escape')]) {
      await action(w, 'ask').click();
      await action(w, 'stop').waitFor();
      studio.step(2);
      await expect.poll(() => card(w, 'adapted').innerText()).toContain('Step 2 of 4');
      await stop();
      await expect.poll(() => card(w, 'adapted').innerText()).toContain('Stopped at step 2 of 4.');
      expect(await card(w, 'base').innerText()).toContain('Not drawn.');
      expect(await action(w, 'stop').count()).toBe(0);
    }
  });

  it('draws with the adapters of other runs, each with its weight, by keyboard too', async () => {
    const { w, studio } = await show({ ...LOOKS[0], adapters: ['/runs/style', '/runs/light'] });
    const { page } = w;
    const list = page.locator('.adapters');
    expect(await list.count()).toBe(0);
    await action(w, 'combine').click();
    await list.waitFor();
    await action(w, 'combine').click();
    await expect
      .poll(() => list.locator('.adapter > span').allInnerTexts())
      .toEqual(['dog', 'style', 'light']);
    const source = { kind: 'run', run: '/runs/dog', at: 'best' };
    const loaded = () => studio.requests.findLast((r) => r.kind === 'load');
    const adapters = [
      { path: '/runs/style', weight: 1 },
      { path: '/runs/light', weight: 1 },
    ];
    expect(loaded()).toMatchObject({ source: { ...source, weight: 1, adapters } });
    const weight = page.getByLabel('Weight of style as a number');
    await weight.fill('-0.5');
    await weight.press('Enter');
    await expect
      .poll(() => studio.requests.at(-1))
      .toEqual({ kind: 'weigh', subject: 'own', weights: [1, -0.5, 1] });
    const slider = page.getByLabel('Weight of dog', { exact: true });
    await slider.focus();
    await page.keyboard.press('ArrowLeft');
    await expect
      .poll(() => studio.requests.at(-1))
      .toEqual({ kind: 'weigh', subject: 'own', weights: [0.95, -0.5, 1] });
    await expect.poll(() => page.getByLabel('Weight of dog as a number').inputValue()).toBe('0.95');
    await expect
      .poll(() => card(w, 'adapted').innerText())
      .toContain('step 40 × 0.95 + style × −0.5 + light × 1');
    await expectSoundInAllLooks(w, 'playground-adapters', 10);
    await page.getByRole('button', { name: 'Remove style' }).click();
    await expect
      .poll(loaded)
      .toMatchObject({ source: { weight: 0.95, adapters: [{ path: '/runs/light', weight: 1 }] } });
    await page.getByRole('button', { name: 'Remove light' }).click();
    await expect.poll(() => list.count()).toBe(0);
    expect(loaded()).toEqual({ kind: 'load', subject: 'own', source });
  });

  it('does not draw with invalid settings, and says what is wrong', async () => {
    const { w } = await show();
    await w.page.locator('[name=width]').fill('100');
    const { page } = w;
    await expect
      .poll(() => page.locator('.settings').innerText())
      .toContain('A multiple of 8, from 8 to 4,096.');
    expect(await action(w, 'ask').getAttribute('disabled')).not.toBeNull();
    await page.locator('[name=width]').fill('72');
    await expect.poll(() => action(w, 'ask').getAttribute('disabled')).toBeNull();
    await page.locator('[name=guidance]').fill('1');
    await page.locator('textarea').nth(1).fill('blurry');
    await expect.poll(() => page.locator('form').innerText()).toContain('the negative prompt has no effect');
  });
});
