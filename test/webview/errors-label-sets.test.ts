import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { labelSetPredictions, type LabelSetExample } from '../unit/protocol/columns';
import { chips, rows, status, wire, type Wired } from './errors-fixture';
import { closePages, LOOKS } from './harness';
import { expectSoundInAllLooks } from './sound';

let open: Wired[] = [];
const show = async (...args: Parameters<typeof wire>) => {
  const w = await wire(...args);
  open.push(w);
  return w;
};
afterEach(async () => {
  for (const w of open) await w.close();
  open = [];
});
afterAll(closePages);

const TEXTS: (LabelSetExample & { text: string })[] = [
  {
    text: 'The new release breaks the login page.',
    truth: ['bug', 'frontend'],
    shares: { bug: 0.97, frontend: 0.81, docs: 0.02, 'help wanted': 0.11 },
  },
  {
    text: 'How do I set the proxy? The manual does not say.',
    truth: ['docs'],
    shares: { bug: 0.12, frontend: 0.03, docs: 0.34, 'help wanted': 0.62 },
  },
  {
    text: 'Thanks for this project!',
    truth: [],
    shares: { bug: 0.01, frontend: 0.02, docs: 0.04, 'help wanted': 0.2 },
  },
  {
    text: 'The button is misaligned, and its tooltip has a typo; a good first issue.',
    truth: ['bug', 'frontend', 'docs', 'help wanted'],
    shares: { bug: 0.9, frontend: 0.99, docs: 0.45, 'help wanted': 0.7 },
  },
  {
    text: 'Crash on startup.',
    truth: ['bug'],
    shares: { bug: 0.99, frontend: 0.51, docs: 0, 'help wanted': 0 },
  },
];

const made = (examples: number) => {
  const all = Array.from({ length: examples }, (_, i) => ({
    ...TEXTS[i % TEXTS.length],
    tokens: 6 + ((i * 7) % 40),
    cut: i % 20 === 4,
  }));
  const excerpts = all.map(({ text }, example) => ({ example, text }));
  return labelSetPredictions(all, { excerpts });
};

const label = (w: Wired, name: string) => w.page.locator('[data-table=found] .name', { hasText: name });
const marks = (w: Wired, example: number) =>
  w.page
    .locator(`[data-example="${example}"] .set li`)
    .evaluateAll((all) => all.map((e) => e.textContent.replace(/\s+/g, ' ').trim()));

describe('the Errors page of several labels', () => {
  it('has no problems in any theme and width', async () => {
    const w = await show(made(60), LOOKS[0]);
    await label(w, 'bug').click();
    await w.page.locator('.chip').first().waitFor();
    await w.page.locator('[data-list=text]').click();
    await expectSoundInAllLooks(w, 'errors-label-sets', 100);
  });

  it('shows the same counts in its summary, table of labels and list', async () => {
    const w = await show(made(60));
    await rows(w).first().waitFor();
    expect(await w.page.locator('.summary').innerText()).toBe(
      'The model gets 24 of 60 examples right (40.0%), and 36 wrong. ' +
        'The model found 72 of 96 labels and missed 24; 24 predictions were spurious. ' +
        'Loss 0.2100, micro F1 75.0%, macro F1 70.0%, mAP 81.0%.',
    );
    const cells = await w.page
      .locator('[data-table=found] tbody tr')
      .evaluateAll((all) =>
        all.map((row) =>
          [...row.children].slice(0, 8).map((c) => (c as HTMLElement).innerText.split('\n')[0]),
        ),
      );
    expect(cells).toEqual([
      ['docs', '24', '0', '24', '0', '–', '0%', '0%'],
      ['help wanted', '12', '12', '0', '12', '50.0%', '100%', '66.7%'],
      ['frontend', '24', '24', '0', '12', '66.7%', '100%', '80.0%'],
      ['bug', '36', '36', '0', '0', '100%', '100%', '100%'],
    ]);
    expect(await status(w)).toBe('36 examples.');
  });

  it('marks the labels of a text by lines and by words, wrong ones first', async () => {
    const w = await show(made(5));
    await w.page.locator('[data-list=text]').click();
    await expect.poll(() => rows(w).count()).toBe(5);
    expect(await marks(w, 0)).toEqual(['Found: bug 97.0%', 'Found: frontend 81.0%']);
    expect(await marks(w, 1)).toEqual(['Missed: docs 34.0%', 'Spurious: help wanted 62.0%']);
    expect(await marks(w, 2)).toEqual([]);
    expect(await w.page.locator('[data-example="2"] .set').innerText()).toBe('none, and none predicted');
    expect((await marks(w, 3))[0]).toBe('Missed: docs 45.0%');
    const lines = await w.page.locator('.set .mark').evaluateAll((all) =>
      all.map((m) => {
        const { textDecorationLine, textDecorationStyle } = getComputedStyle(m);
        return `${textDecorationLine} ${textDecorationStyle}`;
      }),
    );
    expect(new Set(lines)).toEqual(new Set(['underline dashed', 'line-through solid', 'underline solid']));
    expect(await w.page.locator('.legend li').allInnerTexts()).toEqual([
      'Found in the data and predicted',
      'Missed only in the data',
      'Spurious only predicted',
    ]);
  });

  it('filters by label, and by found, missed and spurious, by keyboard alone', async () => {
    const w = await show(made(60));
    await rows(w).first().waitFor();
    await label(w, 'frontend').press('Enter');
    await expect.poll(() => chips(w)).toEqual(['Label: frontend']);
    // Only texts that are wrong about it, not all wrong texts that have it.
    await expect.poll(() => status(w)).toBe('12 examples.');
    await w.page.getByRole('button', { name: 'frontend: 24 found' }).press('Enter');
    await expect.poll(() => chips(w)).toEqual(['Found: frontend']);
    await expect.poll(() => status(w)).toBe('24 examples.');
    expect(await w.page.locator('[data-list=unsure]').getAttribute('aria-pressed')).toBe('true');
    const missed = w.page.locator('.pairs button').first();
    expect(await missed.innerText()).toBe('docs missed');
    await missed.press('Enter');
    await expect.poll(() => chips(w)).toEqual(['Missed: docs']);
    await expect.poll(() => status(w)).toBe('24 examples.');
    await w.page.getByRole('button', { name: 'docs: 24 missed' }).press('Enter');
    await expect.poll(() => chips(w)).toEqual([]);
  });

  it('copies the labels as CSV and restores its state', async () => {
    const p = made(60);
    const w = await show(p);
    await w.page.getByRole('button', { name: 'help wanted: 12 spurious' }).click();
    await w.page.locator('[data-action=copy]').click();
    await expect.poll(() => w.copied.length).toBe(1);
    const [head, ...lines] = w.copied[0].trimEnd().split('\r\n');
    expect(head).toBe('line,labels,predicted,loss,margin,tokens,cut,text');
    expect(lines).toHaveLength(12);
    expect(lines.find((l) => l.startsWith('2,'))).toBe(`2,docs,help wanted,2.001,0.2,13,0,${TEXTS[1].text}`);
    const state = await w.opened.state();
    const again = await show(p, { state });
    await expect.poll(() => chips(again)).toEqual(['Spurious: help wanted']);
  });

  it('shows a message if there is no label, and the first of many labels', async () => {
    const none = await show(labelSetPredictions([{ truth: [], shares: { a: 0.1 } }]));
    await none.page.getByText('No text has a label, and none was predicted.').waitFor();
    expect(await none.opened.accessibility()).toEqual([]);
    const names = Array.from({ length: 40 }, (_, i) => `label ${i}`);
    const many = await show(
      labelSetPredictions([{ truth: names, shares: Object.fromEntries(names.map((n) => [n, 0.3])) }]),
    );
    await many.page.getByRole('button', { name: 'Show all 40 labels' }).click();
    await expect.poll(() => many.page.locator('[data-table=found] tbody tr').count()).toBe(40);
    expect(await marks(many, 0)).toHaveLength(40);
  });
});
