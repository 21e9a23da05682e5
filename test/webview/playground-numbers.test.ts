import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { numberText } from '../../src/base/number-text';
import type { PlaySample } from '../../src/protocol/playground';
import { difference } from '../../webview/playground/number-answer';
import { Lab } from '../cli/lab';
import { closePages, LOOKS } from './harness';
import { wire, type Wired, type WireOptions } from './playground-fixture';
import { scripted } from './scripted';
import { expectSoundInAllLooks } from './sound';

let open: Wired[] = [];
afterEach(async () => {
  for (const w of open) await w.close();
  open = [];
});
afterAll(closePages);

const SHAPES = { input: 'pair', answer: 'number' } as const;
const SAMPLE: PlaySample = {
  text: 'A man is playing a guitar.',
  pair: 'Someone plays an instrument.',
  label: '3.80',
  file: 'validation.tsv',
  line: 7,
};

/** Similarity by length; the base answers far too little. */
const program = scripted({
  shapes: SHAPES,
  labels: ['score'],
  sample: SAMPLE,
  answer({ text, pair }, subject, variant) {
    const number = 5 - Math.abs(text.length - pair!.length) / 7;
    return { number: variant === 'base' ? -0.25 : subject === 'own' ? number : number + 0.5 };
  },
});

const show = async (options: WireOptions = {}) => {
  const w = await wire(
    { kind: 'run', run: '/runs/sts', at: 'best' },
    { shapes: SHAPES, program, ...options },
  );
  open.push(w);
  return w;
};
const column = (w: Wired, key: string) => w.page.locator(`[data-column="${key}"]`);
const action = (w: Wired, name: string) => w.page.locator(`[data-action="${name}"]`);
const box = (w: Wired, name: 'First text' | 'Second text') => w.page.getByRole('textbox', { name });
const verdict = async (w: Wired, key = 'own adapted') =>
  (await column(w, key).locator('.verdict').innerText()).split(/\n+/);

describe('the difference of two numbers', () => {
  it('agrees with the numbers as they are shown', () =>
    fc.assert(
      fc.property(
        fc.double({ min: -999, max: 999, noNaN: true }),
        fc.double({ min: -999, max: 999, noNaN: true }),
        (a, b) => {
          const unit = 10 ** (Math.floor(Math.log10(Math.max(Math.abs(a), Math.abs(b), 1e-3))) - 3);
          const shown = Number(numberText(a)) - Number(numberText(b));
          expect(Math.abs(difference(a, b) - shown)).toBeLessThanOrEqual(1.6 * unit);
        },
      ),
    ));

  it('is 0 between equal numbers', () => {
    expect(difference(0, 0)).toBe(0);
    expect(difference(3.8, 3.80001)).toBe(-0);
    expect(difference(12345, 12344)).toBe(1);
  });
});

describe('the playground of numbers', () => {
  it('has no problems in any theme and width', async () => {
    const w = await show({ ...LOOKS[0], picks: ['/runs/other'] });
    await action(w, 'sample').click();
    await action(w, 'compare').click();
    await w.page.locator('.card .big').nth(2).waitFor();
    await expectSoundInAllLooks(w, 'playground-numbers', 15);
  });

  it('asks about two texts, once both are typed, by keyboard alone', async () => {
    const w = await show();
    await box(w, 'First text').focus();
    await w.page.keyboard.type('One two three');
    await w.page.keyboard.press('Control+Enter');
    await w.page.keyboard.press('Tab');
    expect(await box(w, 'Second text').evaluate((e) => e === document.activeElement)).toBe(true);
    expect(await action(w, 'ask').evaluate((b) => (b as HTMLButtonElement).disabled)).toBe(true);
    expect(await w.page.locator('.big').count()).toBe(0);
    await w.page.keyboard.type('One two');
    await w.page.keyboard.press('Control+Enter');
    // On a slow machine, an answer about half of the text came first.
    await expect.poll(() => verdict(w)).toEqual(['4.143 score']);
    expect(await w.page.locator('.big').count()).toBe(2);
    // Typing in either field asks again after a pause.
    await box(w, 'First text').fill('One two');
    await expect.poll(() => verdict(w)).toEqual(['5 score']);
    expect(await w.page.locator('textarea').count()).toBe(2);
  });

  it('shows how far the number is from that of a validation pair', async () => {
    const w = await show();
    expect(await action(w, 'sample').innerText()).toBe('Try a Validation Pair');
    await action(w, 'sample').click();
    await expect
      .poll(() => w.page.locator('.truth-line').innerText())
      .toBe('validation.tsv, line 7. Its number: 3.80');
    expect(await box(w, 'Second text').inputValue()).toBe(SAMPLE.pair);
    await expect.poll(() => verdict(w)).toEqual(['4.714 score', 'The true value is 3.8: 0.914 too high.']);
    expect(await verdict(w, 'own base')).toEqual([
      '-0.25 score',
      'The true value is 3.8: 4.05 too low.',
      '▼ 4.964 less than sts',
    ]);
    await box(w, 'Second text').fill(`${SAMPLE.pair} Really.`);
    await w.page.locator('.judged').first().waitFor({ state: 'detached' });
    expect(await w.page.locator('.truth-line').count()).toBe(0);
  });

  it('shows the differences from the first column, and copies and announces all numbers', async () => {
    const w = await show({ picks: ['/runs/other'] });
    await box(w, 'First text').fill('abc');
    await box(w, 'Second text').fill('abc');
    await action(w, 'compare').click();
    const other = w.page.locator('.card').nth(2);
    await expect
      .poll(async () => (await other.locator('.verdict').innerText()).split(/\n+/))
      .toEqual(['5.5 score', '▲ 0.5 more than sts']);
    expect(await column(w, 'own adapted').locator('.other').count()).toBe(0);
    await expect
      .poll(() => w.page.locator('main > .visually-hidden[role=status]').innerText())
      .toBe(
        'sts (step 40): score 5. Base model (without the adapter, with this run’s head): score -0.25. other (step 40): score 5.5.',
      );
    await action(w, 'copy').click();
    await expect.poll(() => w.copied.length).toBe(1);
    expect(w.copied[0]).toMatch(/^abc\nabc\n\nsts \(step 40\)\n5\tscore\n\(12 ms, 14 tokens\)\n\nBase model/);
    expect(await action(w, 'all').count()).toBe(0);
  });

  it('restores both texts after a reload, and asks about them', async () => {
    const w = await show();
    await box(w, 'First text').fill('ab');
    await box(w, 'Second text').fill('abcdefghi');
    await expect.poll(() => w.page.locator('.big').count()).toBe(2);
    const state = await w.opened.state();
    const again = await show({ state });
    await expect.poll(() => again.page.locator('.big').count()).toBe(2);
    expect(await verdict(again)).toEqual(['4 score']);
    expect(await box(again, 'First text').inputValue()).toBe('ab');
    expect(await box(again, 'Second text').inputValue()).toBe('abcdefghi');
  });

  it('answers with a trained run', async () => {
    const lab = new Lab({
      task: { type: 'text-regression' },
      data: { textPairColumn: 'other', labelColumn: 'score' },
      training: { epochs: 2 },
    });
    try {
      const words = ['the', 'cat', 'played', 'with', 'the', 'dog'];
      const row = (i: number) => ({
        text: words.slice(0, 2 + (i % 4)).join(' '),
        other: words.slice(i % 3).join(' '),
        score: (i % 4) / 2 - 1,
      });
      const rows = Array.from({ length: 48 }, (_, i) => JSON.stringify(row(i))).join('\n');
      for (const name of ['train.jsonl', 'validation.jsonl']) lab.write(name, `${rows}\n`);
      expect(lab.run('train', lab.experiment, '--out', lab.path('runs')).code).toBe(0);
      const [run] = lab.runs(lab.path('runs'));
      const w = await wire({ kind: 'run', run, at: 'best' }, { shapes: SHAPES });
      open.push(w);
      await action(w, 'sample').click();
      await w.page.locator('.judged').nth(1).waitFor();
      expect(await w.page.locator('.truth-line').innerText()).toMatch(
        /^validation\.jsonl, line \d+\. Its number: -?\d(\.5)?$/,
      );
      expect((await verdict(w))[0]).toMatch(/^-?\d\.\d+ score$/);
      expect(await w.opened.complaints()).toEqual([]);
    } finally {
      lab.remove();
    }
  });
});
