import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { RunningProgram } from '../../src/extension/launcher/client';
import type { PlayLine, PlayRequest } from '../../src/protocol/playground';
import type { PlaySpan, TextSpan } from '../../src/protocol/answers/spans';
import { Lab } from '../cli/lab';
import { closePages, LOOKS } from './harness';
import { wire, type WireOptions, type Wired } from './playground-fixture';
import { expectSoundInAllLooks } from './sound';

let open: Wired[] = [];
afterEach(async () => {
  for (const w of open) await w.close();
  open = [];
});
afterAll(closePages);

const TRUE_TEXT = 'Anna Miller of Acme visits New York City on Monday .';
const at = (text: string, words: string, label: string): TextSpan => {
  const start = text.indexOf(words);
  return { start, end: start + words.length, label };
};
const TRUTH = [
  at(TRUE_TEXT, 'Anna Miller', 'PER'),
  at(TRUE_TEXT, 'Acme', 'ORG'),
  at(TRUE_TEXT, 'New York City', 'LOC'),
];

/** The spans that each subject predicts: capitalized words, fewer for the base and for other runs. */
function spansOf(text: string, subject: string, variant: string): PlaySpan[] {
  const found = [...text.matchAll(/[A-Z]\w+(?: [A-Z]\w+)?/g)].map((m, i): PlaySpan => {
    const label = /Acme|Monday/.test(m[0]) ? 'ORG' : /York|Oslo|Rome/.test(m[0]) ? 'LOC' : 'PER';
    return { start: m.index, end: m.index + m[0].length, label, probability: 0.97 - 0.08 * (i % 9) };
  });
  if (variant === 'base') return found.slice(0, 1).map((s) => ({ ...s, label: 'LOC', probability: 0.41 }));
  return subject === 'own' ? found : found.filter((s) => s.label !== 'ORG');
}

interface Slow {
  /** Answers about texts with this word wait until `go` is called. */
  held?: { word: string; go: () => void };
}

/** A program whose subjects predict spans. */
const scripted =
  (slow: Slow = {}) =>
  (onLine: (line: string) => void): Promise<RunningProgram> => {
    let end: () => void;
    const subjects: string[] = [];
    const say = (line: PlayLine) => onLine(JSON.stringify(line));
    const answer = (request: number, text: string) => {
      for (const subject of subjects)
        for (const variant of subject === 'own' ? (['adapted', 'base'] as const) : (['adapted'] as const))
          say({
            kind: 'prediction',
            ...{ request, subject, variant },
            spans: spansOf(text, subject, variant),
            seconds: 0.0123,
            tokens: 14,
            truncated: false,
          });
      say({ kind: 'answered', request });
    };
    return Promise.resolve({
      ended: new Promise((done) => (end = () => done({ code: 0, stdout: '', stderr: '' }))),
      kill: () => end(),
      send(line) {
        const r = JSON.parse(line) as PlayRequest;
        if (r.kind === 'load') {
          subjects.push(r.subject);
          say({
            kind: 'loaded',
            subject: r.subject,
            ...{ input: 'text', answer: 'spans', name: 'x', step: 40 },
            labels: ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC', 'B-ORG', 'I-ORG'],
            samples: true,
            assumed: [],
            ...(r.subject === 'own' && { base: 'model-with-head' as const }),
          });
        }
        if (r.kind === 'sample')
          say({
            kind: 'sample',
            request: r.request,
            subject: r.subject,
            ...{
              text: TRUE_TEXT,
              label: 'B-PER I-PER O B-ORG',
              spans: TRUTH,
              file: 'validation.jsonl',
              line: 7,
            },
          });
        if (r.kind !== 'predict') return;
        const text = r.text!;
        if (slow.held && text.includes(slow.held.word)) slow.held.go = () => answer(r.request, text);
        else answer(r.request, text);
      },
    });
  };

const show = async (options: WireOptions = {}) => {
  const w = await wire(
    { kind: 'run', run: '/runs/ner', at: 'best' },
    { shapes: { input: 'text', answer: 'spans' }, program: scripted(), ...options },
  );
  open.push(w);
  return w;
};
const column = (w: Wired, key: string) => w.page.locator(`[data-column="${key}"]`);
const action = (w: Wired, name: string) => w.page.locator(`[data-action="${name}"]`);
const type = (w: Wired, text: string) => w.page.locator('textarea').fill(text);
const marks = (w: Wired, key = 'own adapted') =>
  column(w, key)
    .locator('.mark')
    .evaluateAll((all) => all.map((m) => `${m.className.slice(5)} ${m.textContent}`));
const table = (w: Wired, key = 'own adapted') =>
  column(w, key)
    .locator('tbody tr')
    .evaluateAll((all) => all.map((r) => [...r.children].map((c) => c.textContent.trim())));

describe('the playground of spans', () => {
  it('has no problems in any theme and width', async () => {
    const w = await show({ ...LOOKS[0], picks: ['/runs/other'] });
    await action(w, 'sample').click();
    await action(w, 'compare').click();
    await w.page.locator('.card .asked').nth(2).waitFor();
    await expectSoundInAllLooks(w, 'playground-spans', 20);
  });

  it('marks the spans in the text that was asked, not in the text typed since', async () => {
    const slow: Slow = { held: { word: 'Rome', go: () => undefined } };
    const w = await show({ program: scripted(slow) });
    await type(w, 'Tom Baker went to Oslo .');
    await expect.poll(() => marks(w)).toEqual(['predicted Tom Baker', 'predicted Oslo']);
    expect(await table(w)).toEqual([
      ['Tom Baker', 'PER', '97.0%', ''],
      ['Oslo', 'LOC', '89.0%', ''],
    ]);
    // Until the new answer arrives, the old one is shown with its own text.
    await type(w, 'Later on , as all know , he saw Rome .');
    await expect.poll(() => column(w, 'own adapted').getAttribute('aria-busy')).toBe('true');
    expect(await marks(w)).toEqual(['predicted Tom Baker', 'predicted Oslo']);
    await action(w, 'copy').click();
    await expect.poll(() => w.copied.length).toBe(1);
    slow.held!.go();
    await expect.poll(() => marks(w)).toEqual(['predicted Later', 'predicted Rome']);
    expect(await column(w, 'own adapted').locator('.marked').textContent()).toContain(
      'LaterPER on , as all know , he saw RomeLOC .',
    );
    await type(w, 'nothing here');
    await expect.poll(() => marks(w)).toEqual([]);
    await expect
      .poll(() => column(w, 'own adapted').locator('.verdict p').first().innerText())
      .toBe('no span');
    expect(await column(w, 'own adapted').locator('table').count()).toBe(0);
  });

  it('shows which spans of a validation text are found, missed and spurious', async () => {
    const w = await show();
    await action(w, 'sample').click();
    await expect
      .poll(() => w.page.locator('.truth-line').innerText())
      .toBe('validation.jsonl, line 7. Its spans: Anna Miller (PER), Acme (ORG), New York City (LOC)');
    await expect
      .poll(() => marks(w))
      .toEqual([
        'found Anna Miller',
        'found Acme',
        'missed New York',
        'spurious New York',
        'missed  ',
        'missed City',
        'spurious City',
        'spurious Monday',
      ]);
    expect(await column(w, 'own adapted').locator('.judged').innerText()).toBe(
      '✗ 2 of its 3 spans found, 3 spurious.',
    );
    expect((await table(w)).map(([span]) => span)).toEqual([
      '✓ found: Anna Miller',
      '✓ found: Acme',
      '✕ spurious: New York',
      '✕ spurious: City',
      '✕ spurious: Monday',
    ]);
    expect(await w.page.locator('.legend li').count()).toBe(3);
    // It is no longer judged after the first answer about another text.
    await w.page.locator('textarea').press('End');
    await w.page.keyboard.type('.');
    await w.page.locator('.judged').first().waitFor({ state: 'detached' });
    await expect.poll(async () => (await marks(w))[0]).toBe('predicted Anna Miller');
  });

  it('shows the differences from the first column', async () => {
    const w = await show({ picks: ['/runs/other'] });
    await type(w, 'Tom Baker of Acme went to Oslo .');
    await action(w, 'compare').click();
    const other = w.page.locator('.card').nth(2);
    await other.locator('.asked').waitFor();
    await expect
      .poll(() => column(w, 'own base').locator('.other').innerText())
      .toBe('≠ 1 not in ner, 3 only in ner');
    expect(await table(w, 'own base')).toEqual([['Tom Baker', 'LOC', '41.0%', '≠']]);
    expect(await other.locator('.other').innerText()).toBe('≠ 0 not in ner, 1 only in ner');
    expect(await other.locator('tbody').innerText()).not.toContain('≠');
    expect(await column(w, 'own adapted').locator('.other').count()).toBe(0);
    await w.page.getByText('≠: a span that ner does not have.').waitFor();
  });

  it('shows the first of many spans, copies them and announces them to a screen reader', async () => {
    const w = await show({ width: 420 });
    const names = Array.from({ length: 12 }, (_, i) => `Name${i}`);
    await type(w, `${names.join(' and ')} .`);
    await expect.poll(async () => (await table(w)).length).toBe(8);
    await action(w, 'copy').click();
    await expect.poll(() => w.copied.length).toBe(1);
    expect(w.copied[0]).toMatch(
      /^Name0 and Name1 .*\n\nner \(step 40\)\n97\.0%\tPER\tName0\n[^]*\nand 4 more\n\(12 ms, 14 tokens\)\n\nBase model/,
    );
    expect(await action(w, 'all').innerText()).toBe('Show All 12 Spans');
    await action(w, 'all').click();
    await expect.poll(async () => (await table(w)).length).toBe(12);
    await action(w, 'copy').click();
    await expect.poll(() => w.copied.length).toBe(2);
    expect(w.copied[1]).toContain('\tPER\tName11\n');
    await expect
      .poll(() => w.page.locator('main > .visually-hidden[role=status]').innerText())
      .toMatch(
        /^ner \(step 40\): 12 spans: Name0 \(PER\), .* Name7 \(PER\), …\. Base model .*: 1 span: Name0/,
      );
    await type(w, 'word '.repeat(5000));
    await expect.poll(() => marks(w)).toEqual([]);
    const overflow = await w.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    expect(await column(w, 'own adapted').evaluate((e) => e.clientHeight)).toBeLessThan(900);
    expect(await w.opened.accessibility()).toEqual([]);
  });

  it('answers with a trained run', async () => {
    const lab = new Lab({ task: { type: 'token-classification' }, training: { epochs: 2 } });
    try {
      const words = ['the', 'cat', 'played', 'with', 'the', 'dog'];
      const row = (length: number) => ({
        tokens: words.slice(0, length),
        tags: words.slice(0, length).map((w) => (w === 'cat' ? 'B-PET' : 'O')),
      });
      const rows = Array.from({ length: 48 }, (_, i) => JSON.stringify(row(2 + (i % 5)))).join('\n');
      for (const name of ['train.jsonl', 'validation.jsonl']) lab.write(name, `${rows}\n`);
      expect(lab.run('train', lab.experiment, '--out', lab.path('runs')).code).toBe(0);
      const [run] = lab.runs(lab.path('runs'));
      const w = await wire({ kind: 'run', run, at: 'best' }, { shapes: { input: 'text', answer: 'spans' } });
      open.push(w);
      await action(w, 'sample').click();
      await w.page.locator('.judged').nth(1).waitFor();
      expect(await w.page.locator('.truth-line').innerText()).toMatch(
        /^validation\.jsonl, line \d+\. Its spans: cat \(PET\)$/,
      );
      await expect.poll(() => marks(w)).toEqual(['found cat']);
      await type(w, '  the   cat');
      await expect.poll(() => marks(w)).toEqual(['predicted cat']);
      expect(await w.opened.complaints()).toEqual([]);
    } finally {
      lab.remove();
    }
  });
});
