import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ANSWER_FOUND } from '../../src/protocol/answers/found';
import { segmentsOf } from '../../webview/ui/marked-text';
import { spanPredictions, type SpanExample } from '../unit/protocol/columns';
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

const SENTENCES = [
  '=[Anna Miller PER] joined =[Acme ORG] in =[Oslo LOC] .',
  '-[Tom Baker PER] left -[+[New York LOC] City LOC] for =[Rome LOC] on Monday .',
  'The board of -[+[Jordan LOC] ORG] met without =[Eve Stone PER] .',
  'Nothing of note happened .',
  '+[Monday ORG] was quiet in =[Bonn LOC] , said =[Ada King PER] of -[Northern Rail ORG] .',
  '=[Lima LOC] and =[Quito LOC] agreed .',
];

/** Reproducible texts; one in twelve is too long to be stored whole. */
const made = (examples: number) => {
  const long = `${'word '.repeat(80)}=[Paris LOC] -[Ida PER]`;
  const all = Array.from({ length: examples }, (_, i): SpanExample => {
    const text = SENTENCES[i % SENTENCES.length];
    return { text: i % 12 === 4 ? `${text} ${long}` : text, tokens: 6 + ((i * 7) % 40), cut: i % 12 === 4 };
  });
  const whole = spanPredictions(all);
  const excerpts = whole.excerpts.map(({ example, text }) => ({
    example,
    text: text.length > 280 ? `${text.slice(0, 279)}…` : text,
  }));
  return { ...whole, excerpts };
};

const type = (w: Wired, name: string) => w.page.locator('[data-table=found] .name', { hasText: name });
const active = (w: Wired) =>
  w.page.evaluate(() => {
    const e = document.activeElement as HTMLElement;
    return e.getAttribute('aria-label') ?? (e.id || e.innerText);
  });

describe('the segments of a text', () => {
  const text = 'abcdefghij';
  const span = fc
    .record({
      start: fc.nat(12),
      length: fc.nat(6),
      state: fc.constantFrom('found' as const, 'missed' as const, 'spurious' as const),
    })
    .map(({ start, length, state }) => ({ start, end: start + length, label: 'X', state }));

  it('make up the text, and each span ends once, unless it is empty or outside', () =>
    fc.assert(
      fc.property(fc.array(span, { maxLength: 6 }), (spans) => {
        const segments = segmentsOf(text, spans);
        expect(segments.map((s) => s.text).join('')).toBe(text);
        let at = 0;
        for (const { text: part, within } of segments) {
          const around = spans.filter((s) => s.start <= at && s.end >= at + part.length && s.end > s.start);
          expect(within).toHaveLength(around.length);
          at += part.length;
        }
        const shown = spans.filter((s) => s.end > s.start && s.start < text.length);
        expect(segments.flatMap((s) => s.ending)).toHaveLength(shown.length);
      }),
    ));
});

describe('the Errors page of spans', () => {
  it('has no problems in any theme and width', async () => {
    const w = await show(made(60), LOOKS[0]);
    await type(w, 'ORG').click();
    await w.page.locator('.chip').first().waitFor();
    await expectSoundInAllLooks(w, 'errors-spans', 100);
  });

  it('shows the same counts in its summary, table of types and list', async () => {
    const w = await show(made(60));
    await rows(w).first().waitFor();
    expect(await w.page.locator('.summary').innerText()).toBe(
      'The model gets 30 of 60 examples right (50.0%), and 30 wrong. ' +
        'The model found 95 of 140 spans and missed 45; 30 predictions were spurious. ' +
        'Loss 0.5000, entity F1 75.0%, entity precision 80.0%, entity recall 70.6%, tag accuracy 90.0%.',
    );
    const cells = await w.page
      .locator('[data-table=found] tbody tr')
      .evaluateAll((all) =>
        all.map((row) =>
          [...row.children].slice(0, 8).map((c) => (c as HTMLElement).innerText.split('\n')[0]),
        ),
      );
    expect(cells).toEqual([
      ['ORG', '30', '10', '20', '10', '50.0%', '33.3%', '40.0%'],
      ['LOC', '65', '55', '10', '20', '73.3%', '84.6%', '78.6%'],
      ['PER', '45', '30', '15', '0', '100%', '66.7%', '80.0%'],
    ]);
    expect(await status(w)).toBe('30 examples.');
    expect(await w.page.locator('.matrix').count()).toBe(0);
  });

  it('marks found, missed and spurious spans by lines and by words', async () => {
    const p = made(12);
    const w = await show(p);
    await w.page.locator('[data-list=text]').click();
    const row = (example: number) => w.page.locator(`[data-example="${example}"]`);
    const marks = (example: number) =>
      row(example)
        .locator('.mark')
        .evaluateAll((all) => all.map((m) => `${m.className.slice(5)} ${m.textContent}`));
    await expect
      .poll(() => marks(1))
      .toEqual(['missed Tom Baker', 'missed New York', 'spurious New York', 'missed  City', 'found Rome']);
    expect(await row(1).locator('.tag').allInnerTexts()).toEqual(['PER', '✕\u00a0LOC', 'LOC', 'LOC']);
    expect(await row(1).locator('.text .visually-hidden').textContent()).toBe(
      ' Found: Rome (LOC). Missed: Tom Baker (PER), New York City (LOC). Spurious: New York (LOC).',
    );
    expect(await row(1).locator('td').first().innerText()).toMatch(/^2/);
    // The text itself is unchanged.
    expect(await row(1).locator('.marked').evaluate(withoutTags)).toBe(p.excerpts[1].text);
    const lines = await row(1)
      .locator('.mark')
      .evaluateAll((all) =>
        all.map((m) => {
          const { textDecorationLine, textDecorationStyle } = getComputedStyle(m);
          return `${textDecorationLine} ${textDecorationStyle}`;
        }),
      );
    expect(new Set(lines)).toEqual(new Set(['underline dashed', 'line-through solid', 'underline solid']));
    // Two spans of this text are after the stored part.
    expect(await marks(4)).toEqual([
      'spurious Monday',
      'found Bonn',
      'found Ada King',
      'missed Northern Rail',
    ]);
    expect(await row(4).locator('.rest').innerText()).toBe('2 more in the rest of the text');
    expect(await row(3).locator('.mark, .tag, .rest').count()).toBe(0);
    expect(await w.page.locator('.legend li').allInnerTexts()).toHaveLength(3);
  });

  it('filters by type, and by found, missed and spurious, by keyboard alone', async () => {
    const p = made(60);
    const w = await show(p);
    await rows(w).first().waitFor();
    await type(w, 'PER').focus();
    await w.page.keyboard.press('Enter');
    await expect.poll(() => chips(w)).toEqual(['Type: PER']);
    await expect.poll(() => active(w)).toBe('list-title');
    // Only texts with a wrong PER span, not all wrong texts that contain one.
    await expect.poll(() => status(w)).toBe('15 examples.');
    expect(await type(w, 'PER').getAttribute('aria-pressed')).toBe('true');
    await w.page.locator('[data-action=back]').press('Enter');
    await expect.poll(() => active(w)).toBe('PER');
    for (let i = 0; i < 2; i++) await w.page.keyboard.press('Tab');
    await expect.poll(() => active(w)).toBe('PER: 15 missed');
    await w.page.keyboard.press('Space');
    await expect.poll(() => chips(w)).toEqual(['Missed: PER']);
    await expect.poll(() => status(w)).toBe('15 examples.');
    // Found spans also occur in texts that are right.
    await w.page.getByRole('button', { name: 'PER: 30 found' }).press('Enter');
    await expect.poll(() => chips(w)).toEqual(['Found: PER']);
    await expect.poll(() => status(w)).toBe('30 examples.');
    expect(await w.page.locator('[data-list=unsure]').getAttribute('aria-pressed')).toBe('true');
    await w.page.locator('[data-table=lengths] button').first().press('Enter');
    await expect.poll(() => chips(w)).toHaveLength(2);
    await w.page.locator('.chip').first().press('Enter');
    await expect.poll(() => chips(w)).toEqual([expect.stringContaining('tokens')]);
    await w.page.locator('.chip').first().press('Enter');
    await expect.poll(() => status(w)).toBe('60 examples; 1 to 50.');
    // Pressing it again removes the filter.
    const spurious = w.page.locator('.pairs button').first();
    expect(await spurious.innerText()).toBe('ORG missed');
    await spurious.press('Enter');
    await expect.poll(() => chips(w)).toEqual(['Missed: ORG']);
    await w.page.getByRole('button', { name: 'ORG: 20 missed' }).press('Enter');
    await expect.poll(() => chips(w)).toEqual([]);
  });

  it('copies spans as CSV and restores its state', async () => {
    const p = made(60);
    const w = await show(p);
    await w.page.getByRole('button', { name: 'LOC: 20 spurious' }).click();
    await w.page.locator('[data-action=copy]').click();
    await expect.poll(() => w.copied.length).toBe(1);
    const [head, ...lines] = w.copied[0].trimEnd().split('\r\n');
    expect(head).toBe('line,expected,predicted,loss,margin,tokens,cut,text');
    expect(lines).toHaveLength(20);
    expect(lines.find((l) => l.startsWith('2,'))).toBe(
      `2,0-9:PER; 15-28:LOC; 33-37:LOC,15-23:LOC; 33-37:LOC,3.001,${1 / 6},13,0,${p.excerpts[1].text}`,
    );
    const state = await w.opened.state();
    const again = await show(p, { state });
    await expect.poll(() => chips(again)).toEqual(['Spurious: LOC']);
    await expect.poll(() => status(again)).toBe('20 examples.');
  });

  it('shows a message if there is no span, and if all are found', async () => {
    const none = await show(spanPredictions([{ text: 'none' }], { labels: [] }));
    await none.page.getByText('No text has a span, and none was predicted.').waitFor();
    expect(await none.opened.accessibility()).toEqual([]);
    const right = await show(spanPredictions([{ text: '=[Oslo LOC]' }, { text: 'none' }]));
    await rows(right).first().waitFor();
    expect(await right.page.locator('.summary').innerText()).toContain('gets all 2 examples right');
    expect(await right.page.locator('.pairs').count()).toBe(0);
    expect(await right.page.getByText('too few to tell').count()).toBeGreaterThan(0);
  });

  it('renders one page of 100,000 texts with 300,000 spans', async () => {
    const of = (n: number, value: (i: number) => number) =>
      Uint32Array.from({ length: n }, (_, i) => value(i));
    const examples = 100_000;
    const p = made(6);
    const spans = {
      example: of(3 * examples, (i) => Math.floor(i / 3)),
      start: of(3 * examples, (i) => 10 * (i % 3)),
      end: of(3 * examples, (i) => 10 * (i % 3) + 4),
      label: of(3 * examples, (i) => i % 3),
      found: Uint8Array.from({ length: 3 * examples }, (_, i) => (i % 7 ? ANSWER_FOUND : i % 2)),
    };
    const columns = {
      line: of(examples, (i) => i + 1),
      tokens: of(examples, (i) => 5 + (i % 90)),
      loss: Float64Array.from({ length: examples }, (_, i) => i / examples),
      margin: Float64Array.from({ length: examples }, (_, i) => 1 - i / examples),
      cut: new Uint8Array(examples),
    };
    const w = await show({ ...p, columns, spans, excerpts: [] });
    await rows(w).first().waitFor();
    await w.page.locator('[data-list=unsure]').click();
    await expect.poll(() => status(w)).toBe('100,000 examples; 1 to 50.');
    await type(w, 'ORG').click();
    await expect.poll(() => status(w)).toBe('100,000 examples; 1 to 50.');
  });
});

/** Runs in the page. */
function withoutTags(marked: Element): string {
  const copy = marked.cloneNode(true) as Element;
  for (const tag of copy.querySelectorAll('.tag')) tag.remove();
  return copy.textContent;
}
