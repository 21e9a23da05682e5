import { readFileSync, statSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningProgram } from '../../src/extension/launcher/client';
import type { PlayLine, PlayRequest } from '../../src/protocol/playground';
import { Lab } from '../cli/lab';
import { contrasts } from './contrast';
import { closePages, LOOKS } from './harness';
import { fixtureModel, wire, type Wired } from './playground-fixture';
import { expectSound } from './sound';

const lab = new Lab({ training: { epochs: 2, learningRate: 0.03 } });
let run: string;
let other: string;
let open: Wired[] = [];
const show = async (...args: Parameters<typeof wire>) => {
  const w = await wire(...args);
  open.push(w);
  return w;
};

beforeAll(() => {
  const lora = 'adapter={"method":"lora","rank":2,"targetModules":["query","value"]}';
  expect(lab.run('train', lab.experiment, '--out', lab.path('runs')).code).toBe(0);
  expect(lab.run('train', lab.experiment, '--out', lab.path('runs'), '--set', lora).code).toBe(0);
  [run, other] = lab.runs(lab.path('runs'));
});
afterEach(async () => {
  for (const w of open) await w.close();
  open = [];
});
afterAll(async () => {
  await closePages();
  lab.remove();
});

const column = (w: Wired, key: string) => w.page.locator(`[data-column="${key}"]`);
const verdict = (w: Wired, key = 'own adapted') => column(w, key).locator('.verdict p').first();
const action = (w: Wired, name: string) => w.page.locator(`[data-action="${name}"]`);
const type = (w: Wired, text: string) => w.page.locator('textarea').fill(text);
const asks = async (w: Wired) =>
  (await w.opened.sent()).filter((m) => m.type === 'ask').map((m) => m.text as string);

/** Looks at the page in all looks, and at the color of its bars. */
async function whole(w: Wired, name: string): Promise<void> {
  for (const look of LOOKS) {
    await w.opened.look(look);
    await expectSound(w, `playground-${name}-${look.theme}-${look.width}`, 8);
    const [share] = await contrasts(w.page, ['--series-blue']);
    expect(share).toBeGreaterThanOrEqual(3);
  }
}

/**
 * Hands the page an image as a paste or a drop does, with the given pixels, or a file that is not an image.
 */
const hand = (w: Wired, how: 'paste' | 'drop', rgb: readonly number[] | undefined, side = 24) =>
  w.page.evaluate(
    async ([event, bytes, size]) => {
      let file = new File(['no image'], 'notes.txt', { type: 'text/plain' });
      if (bytes) {
        const canvas = document.createElement('canvas');
        canvas.width = canvas.height = size;
        const data = new ImageData(size, size);
        for (let i = 0; i < size * size; i++) data.data.set([...bytes.slice(3 * i, 3 * i + 3), 255], 4 * i);
        canvas.getContext('2d')!.putImageData(data, 0, 0);
        const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done));
        file = new File([blob!], 'shape.png', { type: 'image/png' });
      }
      const transfer = new DataTransfer();
      transfer.items.add(file);
      const made =
        event === 'paste'
          ? new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true })
          : new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true });
      document.body.dispatchEvent(made);
    },
    [how, rgb ? [...rgb] : undefined, side] as const,
  );

const shapes = JSON.parse(readFileSync('test/fixtures/playground/image/answers.json', 'utf8')) as {
  label: string;
  rgb: number[];
  probabilities: number[];
}[];

describe('the Playground page', () => {
  it('has no problems with two runs in any theme and width', async () => {
    const w = await show({ kind: 'run', run, at: 'best' }, { ...LOOKS[0], picks: [other] });
    await action(w, 'sample').click();
    await action(w, 'compare').click();
    await w.page.locator('.card .verdict').nth(2).waitFor();
    await whole(w, 'run');
  });

  it('has no problems with a language model in any theme and width', async () => {
    const w = await show(fixtureModel('language'), LOOKS[0]);
    await type(w, 'The weather');
    await w.page.locator('input[name=topP]').fill('2');
    await w.page.locator('textarea').focus();
    expect(await w.page.locator('input[name=topP] + small').innerText()).toBe('A number above 0, up to 1.');
    expect(await action(w, 'ask').getAttribute('disabled')).not.toBeNull();
    await w.page.locator('input[name=topP]').fill('1');
    await action(w, 'ask').click();
    await column(w, 'own base').locator('.numbers', { hasText: 'tokens/s' }).waitFor();
    await whole(w, 'language');
  });

  it('has no problems with an image classifier in any theme and width', async () => {
    const w = await show(fixtureModel('image', false), LOOKS[0]);
    await action(w, 'choose').waitFor();
    await hand(w, 'paste', shapes[0].rgb);
    await verdict(w).waitFor();
    await whole(w, 'image');
  });

  it('asks when typing pauses, or immediately with Ctrl+Enter, and only the newest answer counts', async () => {
    const w = await show({ kind: 'run', run, at: 'best' });
    await column(w, 'own adapted').getByText('No answer yet.').waitFor();
    expect(await action(w, 'ask').getAttribute('disabled')).not.toBeNull();
    await w.page.locator('textarea').focus();
    // The page's clock stands still, so that a slow machine makes no pause between two keys. It cannot go back: it stops
    // a minute ahead.
    await w.page.clock.pauseAt(Date.now() + 60_000);
    await w.page.keyboard.type('the cat');
    await w.page.clock.runFor(300);
    expect(await asks(w)).toEqual([]);
    await w.page.clock.runFor(200);
    expect(await asks(w)).toEqual(['the cat']);
    await verdict(w, 'own base').waitFor();
    await verdict(w, 'own adapted').waitFor();
    const before = await column(w, 'own adapted').locator('table').innerText();
    await w.page.keyboard.type(' played');
    await w.page.keyboard.press('Control+Enter');
    expect(await asks(w)).toEqual(['the cat', 'the cat played']);
    await expect.poll(() => column(w, 'own adapted').locator('table').innerText()).not.toBe(before);
    // The pause after it sends no second request.
    await w.page.clock.runFor(1000);
    expect(await asks(w)).toHaveLength(2);
    await expect
      .poll(() => column(w, 'own adapted').locator('.numbers').innerText())
      .toMatch(/^[\d.]+ m?s · 6 tokens$/);
    expect(await column(w, 'own base').locator('.note').first().innerText()).toBe(
      'without the adapter, with this run’s head',
    );
  });

  it('shows differences from the first column and what was truncated', async () => {
    const w = await show({ kind: 'run', run, at: 'best' });
    await type(w, 'the cat '.repeat(20));
    await verdict(w, 'own base').waitFor();
    const share = async (key: string) => {
      const rows = await column(w, key).locator('tbody tr').allInnerTexts();
      return Object.fromEntries(
        rows.map((r) => [/^\S+/.exec(r)![0], Number(/([\d.]+)%/.exec(r)![1])]),
      ) as Record<string, number>;
    };
    const [adapted, base] = [await share('own adapted'), await share('own base')];
    for (const row of await column(w, 'own base').locator('tbody tr').allInnerTexts()) {
      const label = /^\S+/.exec(row)![0];
      const points = base[label] - adapted[label];
      const told = /(=|[▲▼] [\d.]+)$/.exec(row)![1];
      if (Math.abs(points) > 0.2) expect(told[0]).toBe(points > 0 ? '▲' : '▼');
      expect(Math.abs(Number(told.slice(2) || 0) - Math.abs(points))).toBeLessThan(0.11);
    }
    expect(await column(w, 'own adapted').locator('.numbers').innerText()).toContain(
      'the text was cut to 16 tokens',
    );
    expect(await column(w, 'own adapted').locator('tbody').innerText()).not.toMatch(/[▲▼]/);
  });

  it('fills in validation examples with their label, which disappears with the first edit', async () => {
    const w = await show({ kind: 'run', run, at: 'last' });
    await action(w, 'sample').click();
    const line = w.page.locator('.truth-line');
    await line.waitFor();
    const [, number, label] = /^validation\.jsonl, line (\d+)\. Its label: (\w+)$/.exec(
      await line.innerText(),
    )!;
    const row = readFileSync(lab.path('validation.jsonl'), 'utf8').split('\n')[Number(number) - 1];
    expect(JSON.parse(row)).toEqual({ text: await w.page.locator('textarea').inputValue(), label });
    await column(w, 'own base').locator('.judged').first().waitFor();
    const judged = await column(w, 'own adapted').locator('.judged').first().innerText();
    const right = (await verdict(w).innerText()).startsWith(label);
    expect(judged).toMatch(
      right ? /^✓ Correct\.$/ : new RegExp(`^✗ The true label is ${label}: [\\d.]+%\\.$`),
    );
    // Its tokens are those of the row that is asked.
    await action(w, 'tokens').click();
    await expect.poll(() => w.tokens).toEqual([`validation.jsonl:${number}`]);
    await action(w, 'sample').click();
    await expect.poll(() => line.innerText()).not.toContain(`line ${number}.`);
    await w.page.locator('textarea').press('End');
    await w.page.keyboard.type(' !');
    await line.waitFor({ state: 'detached' });
    expect(await action(w, 'tokens').count()).toBe(0);
    expect(await w.page.locator('.judged', { hasText: 'label' }).count()).toBe(0);
  });

  it('adds and removes runs beside each other and restores them after a reload', async () => {
    const w = await show({ kind: 'run', run, at: 'best' }, { picks: [other] });
    await type(w, 'the cat');
    await verdict(w).waitFor();
    await action(w, 'compare').click();
    // The program answers requests that were made before it was ready.
    await w.page.locator('.card').nth(2).locator('.verdict').waitFor();
    expect(await w.page.locator('.card h2').nth(2).innerText()).toBe(other.split('/').pop());
    const state = await w.opened.state();
    const again = await show({ kind: 'run', run, at: 'best' }, { state });
    await again.page.locator('.card').nth(2).locator('.verdict').waitFor();
    expect(await again.page.locator('textarea').inputValue()).toBe('the cat');
    await again.page.getByRole('button', { name: /^Remove / }).click();
    await expect.poll(() => again.page.locator('.card').count()).toBe(2);
    await verdict(again).waitFor();
  });

  it("streams the output of a language model beside the base model's and copies it", async () => {
    const w = await show(fixtureModel('language'));
    await type(w, 'Das Wetter');
    await w.page.keyboard.press('Control+Enter');
    const written = (key: string) => column(w, key).locator('.written').innerText();
    await column(w, 'own base').locator('.numbers', { hasText: 'tokens/s' }).waitFor();
    expect(await written('own adapted')).toBe('Das Wetter schmeckt heute nach Äpfeln 🍎.');
    expect(await written('own base')).toBe('Das Wetter im Süden ist schön: überall Sonne ☀.');
    expect(await column(w, 'own base').locator('.numbers').innerText()).toMatch(
      /^28 tokens, ended by the model · [\d.,]+ tokens\/s · the first after [\d.]+ ms$/,
    );
    // Typing alone sends no request.
    await w.page.waitForTimeout(600);
    expect(await asks(w)).toEqual([]);
    await action(w, 'copy').click();
    await expect.poll(() => w.copied.length).toBe(1);
    expect(w.copied[0]).toMatch(
      /^Das Wetter\n\nlanguage\/model\.onnx \+ adapter\nschmeckt heute nach Äpfeln 🍎\.\n\(25 tokens, .*\)\n\nBase model \(without the adapter\)\nim Süden/,
    );
    await w.page.getByText('Copied.').waitFor();
  });

  it('stops generating by button and by Escape and keeps the text so far', async () => {
    // This model has unlimited positions and declares no end-of-text token.
    lab.write('neox/model.onnx', readFileSync('test/fixtures/reference/more/neox.onnx'));
    lab.write('neox/tokenizer.json', readFileSync('test/fixtures/data/wordpiece/tokenizer.json'));
    const w = await show({ kind: 'model', model: lab.path('neox/model.onnx') });
    await type(w, 'the cat');
    await w.page.locator('input[name=maxTokens]').fill('100000');
    await w.page.locator('input[name=temperature]').fill('2');
    for (const stop of [() => action(w, 'stop').click(), () => w.page.keyboard.press('Escape')]) {
      await w.page.locator('textarea').focus();
      await w.page.keyboard.press('Control+Enter');
      await w.page.locator('.made').waitFor();
      await stop();
      await w.page.locator('.numbers', { hasText: 'stopped' }).waitFor();
      expect((await w.page.locator('.made').innerText()).length).toBeGreaterThan(0);
      await action(w, 'stop').waitFor({ state: 'detached' });
      expect(await w.page.evaluate(() => document.activeElement?.localName)).toBe('textarea');
    }
    // At most ten messages per second, and everything arrived.
    expect(w.posted.filter((t) => t === 'lines').length).toBeLessThan(100);
    expect(await w.page.locator('.assumed').innerText()).toContain('No end-of-text token is specified');
  });

  it('reads images that are pasted, dropped or chosen, to the exact pixels', async () => {
    const w = await show(fixtureModel('image', false));
    await action(w, 'choose').waitFor();
    for (const [i, { label, rgb, probabilities }] of shapes.entries()) {
      await hand(w, i % 2 ? 'drop' : 'paste', rgb);
      await expect.poll(() => verdict(w).innerText()).toContain(label);
      const best = Math.max(...probabilities);
      const shown = best > 0.9995 ? '>99.9%' : `${(100 * best).toFixed(1)}%`;
      await expect.poll(() => verdict(w).innerText()).toBe(`${label} ${shown}`);
    }
    // A large image is scaled down and looks the same.
    const large = Array.from({ length: 96 * 96 }, (_, i) => {
      const at = 3 * (24 * (Math.floor(i / 96) >> 2) + ((i % 96) >> 2));
      return shapes[2].rgb.slice(at, at + 3);
    }).flat();
    await hand(w, 'drop', large, 96);
    await expect.poll(() => verdict(w).innerText()).toContain('stripes');
    await w.page.getByText('shape.png, 96 × 96 pixels.').waitFor();
    await hand(w, 'drop', undefined);
    await w.page.getByText('notes.txt cannot be decoded as an image.').waitFor();
    await w.page.locator('input[type=file]').setInputFiles('docs/images/budget.png');
    await w.page.getByText(/budget\.png, \d+ × \d+ pixels\./).waitFor();
    expect(await w.opened.complaints()).toEqual([]);
  });

  it('works by keyboard alone', async () => {
    const w = await show({ kind: 'run', run, at: 'best' }, { picks: [other] });
    await type(w, 'the cat');
    await verdict(w, 'own base').waitFor();
    await w.page.locator('textarea').focus();
    const reached: string[] = [];
    for (let i = 0; i < 5; i++) {
      await w.page.keyboard.press('Tab');
      reached.push(
        await w.page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.action ?? ''),
      );
    }
    expect(reached.filter(Boolean)).toEqual(['ask', 'sample', 'compare', 'copy']);
    await action(w, 'copy').focus();
    await w.page.keyboard.press('Enter');
    await expect.poll(() => w.copied.length).toBe(1);
    expect(w.copied[0]).toMatch(
      /^the cat\n\n\S+ \(step \d+\)\n[\d.]+%\t(pets|other)\n[\d.]+%\t(pets|other)\n\([\d.]+ ms, 4 tokens\)\n\nBase model \(/,
    );
    // A screen reader announces this once everything has arrived.
    await expect
      .poll(() => w.page.locator('main > .visually-hidden[role=status]').innerText())
      .toMatch(/\(step \d+\): (pets|other), [\d.]+%\. Base model/);
  });

  it('restarts a program that ends unexpectedly and reports it', async () => {
    const w = await show({ kind: 'run', run, at: 'best' });
    await type(w, 'the cat');
    await verdict(w).waitFor();
    w.programs[0].kill('was shot');
    await w.page.getByRole('alert').getByText('was restarted').waitFor();
    await column(w, 'own base').waitFor();
    expect(w.programs).toHaveLength(2);
    await type(w, 'the cats');
    await expect.poll(() => column(w, 'own adapted').getAttribute('aria-busy')).toBe('false');
    await verdict(w).waitFor();
  });

  it('does not keep restarting what cannot be loaded, and reports what is missing', async () => {
    const w = await show({ kind: 'run', run, at: 77 });
    await w.page.locator('.card [role=alert]', { hasText: 'no checkpoint of step 77' }).waitFor();
    w.programs[0].kill('was shot');
    await action(w, 'restart').waitFor();
    expect(await w.page.getByRole('alert').first().innerText()).toContain('is not running');
    await w.page.waitForTimeout(300);
    expect(w.programs).toHaveLength(1);
    await action(w, 'restart').click();
    await w.page.locator('.card [role=alert]').waitFor();
    expect(w.programs).toHaveLength(2);
  });

  it('keeps its layout with many labels, long labels and long texts', async () => {
    const labels = Array.from({ length: 400 }, (_, i) =>
      i % 3 ? `label-${i}` : `a/very.long_label.without.any.blank.${'x'.repeat(40)}.${i}`,
    );
    const chances = labels.map((_, i) => 2 ** -Math.min(i + 1, 399));
    const w = await show(
      { kind: 'run', run, at: 'best' },
      { width: 420, program: scripted(labels, chances) },
    );
    await type(w, 'word '.repeat(20_000));
    await verdict(w).waitFor();
    expect(await column(w, 'own adapted').locator('tbody tr').count()).toBe(5);
    await action(w, 'all').click();
    await expect.poll(() => column(w, 'own adapted').locator('tbody tr').count()).toBe(400);
    const overflow = await w.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    await expect.poll(() => w.page.locator('textarea').evaluate((e) => e.clientHeight)).toBeLessThan(500);
    expect(await w.opened.accessibility()).toEqual([]);
    await w.opened.screenshot('playground-many');
  });

  it('is at most 600 KB', () => {
    expect(statSync('dist/webview/playground.js').size).toBeLessThanOrEqual(600_000);
  });
});

/** A program with other labels than those of a small model. */
const scripted =
  (labels: string[], probabilities: number[]) =>
  (onLine: (line: string) => void): Promise<RunningProgram> => {
    let end: () => void;
    const say = (line: PlayLine) => onLine(JSON.stringify(line));
    return Promise.resolve({
      ended: new Promise((done) => (end = () => done({ code: 0, stdout: '', stderr: '' }))),
      kill: () => end(),
      send(text) {
        const r = JSON.parse(text) as PlayRequest;
        if (r.kind === 'load')
          say({
            kind: 'loaded',
            subject: r.subject,
            input: 'text',
            answer: 'label',
            name: 'x',
            labels,
            samples: false,
            assumed: [],
            base: 'model',
          });
        if (r.kind !== 'predict') return;
        for (const variant of ['adapted', 'base'] as const)
          say({
            kind: 'prediction',
            request: r.request,
            subject: 'own',
            variant,
            probabilities,
            seconds: 1.234,
            tokens: 512,
            truncated: true,
          });
        say({ kind: 'answered', request: r.request });
      },
    });
  };
