import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { startProgram } from '../../src/executors/local/program';
import { readRow } from '../../src/extension/panels/tokens/read-row';
import { TokensSession } from '../../src/extension/panels/tokens/tokens-session';
import { parseTokensMessage, type TokensToPage } from '../../src/protocol/panels/tokens';
import type { TokenRow } from '../../src/protocol/tokens';
import { tokenRow, tokensOf } from '../unit/protocol/token-rows';
import { CLI, Lab } from '../cli/lab';
import { hearPage, sender } from './bridge';
import { faintTexts, shownTexts } from './contrast';
import { closePages, LOOKS, openPanel, THEMES, type Opened } from './harness';

/** The page with its session and the real program, on a folder of the command-line tests. */
async function wire(lab: Lab): Promise<void> {
  opened = await openPanel('tokens');
  const toPage = sender(opened);
  const session = new TokensSession({
    experiment: 'tiny',
    post: (message) => toPage.post(message),
    read: (choice) => readRow(runCli, lab.experiment, choice),
    failed: () => undefined,
  });
  await hearPage(
    opened,
    parseTokensMessage,
    (message) => message.type === 'show' && session.show(message),
    (problem) => expect.fail(problem),
  );
  await opened.send({ type: 'init', open: { file: lab.experiment }, l10n: {} });
}

const runCli = (args: readonly string[], onLine: (line: string) => void) =>
  startProgram({ node: process.execPath, args: [CLI, ...args], env: process.env, onLine }).ended;

const FILE = '/home/me/mine.aurora.json';

let opened: Opened;
afterEach(() => opened.close());
afterAll(closePages);

async function open(row?: Partial<TokenRow>, state?: unknown): Promise<Opened> {
  opened = await openPanel('tokens', { state });
  await opened.send({ type: 'init', open: { file: FILE }, l10n: {} });
  if (row) await show(row);
  return opened;
}

async function show(row: Partial<TokenRow>): Promise<void> {
  await opened.send({ type: 'row', experiment: 'mine', row: tokenRow(row) } satisfies TokensToPage);
  await opened.page.locator('main').waitFor();
}

/** The requests of the page, all of which its host understands. */
async function asked() {
  const messages = (await opened.sent()).filter(({ type }) => type !== 'ready');
  expect(messages.map((message) => parseTokensMessage(message)?.type)).toEqual(messages.map((m) => m.type));
  return messages;
}

const healthy = async () => {
  expect(await opened.complaints()).toEqual([]);
  expect(await opened.accessibility()).toEqual([]);
};

const TAGGED: Partial<TokenRow> = {
  answer: 'spans',
  tokens: [
    { id: 2, text: '[CLS]', special: true },
    { id: 5, text: ' Paris', counts: true, label: 'B-LOC', weight: 2.5 },
    { id: 6, text: ' is', counts: true, label: 'O' },
    { id: 3, text: '[SEP]', special: true },
  ],
  cut: [{ at: 3, count: 4, counting: 3, tokens: tokensOf('* nice', '* and', ' old', '* .') }],
  batch: { step: 2, examples: 8, length: 9, pad: { id: 0, text: '[PAD]', special: true } },
};

const PACKED: Partial<TokenRow> = {
  tokens: [...tokensOf('x', '*y'), ...tokensOf('a', '*b', '*c')],
  packed: {
    row: 4,
    rows: 9,
    own: 1,
    texts: [
      { name: '3', begin: 0, size: 2 },
      { name: '12', begin: 2, size: 3 },
    ],
  },
};

describe('the Tokens page', () => {
  it('asks for its row at first, and for the one it had after a reload', async () => {
    await open();
    expect(await asked()).toEqual([{ type: 'show' }]);
    await opened.close();
    await open(undefined, { open: { file: FILE }, ui: { choice: { row: '7', split: 'validation' } } });
    expect(await asked()).toEqual([{ type: 'show', row: '7', split: 'validation' }]);
  });

  it('marks the tokens that count, and keeps the text readable', async () => {
    const { page } = await open({});
    expect(await page.locator('h1').innerText()).toBe('Tokens of train.jsonl, line 12');
    expect(await page.locator('.summary').innerText()).toBe('3 of 7 tokens count in the loss.');
    expect(await page.locator('.tokens .token.counts').allInnerTexts()).toEqual([' A', ' cat', '↵\n']);
    expect(await page.locator('.tokens').textContent()).toContain('What is it? A cat');
    expect(await page.locator('.tokens .counts').first().getAttribute('title')).toContain(
      'counts in the loss',
    );
    await healthy();
  });

  it('shows tags, weights, special tokens, padding and what was cut off', async () => {
    const { page } = await open(TAGGED);
    expect(await page.locator('.tokens .token.counts').allInnerTexts()).toEqual([
      expect.stringMatching(/Paris\s*→\u2060B-LOC ×2\.5/),
      expect.stringMatching(/is\s*→\u2060O/),
    ]);
    expect(await page.locator('.tokens .special').count()).toBe(2);
    expect(await page.locator('.tokens .padding').innerText()).toBe('[PAD] × 5');
    const cut = page.locator('button.cut');
    expect(await cut.innerText()).toBe('✂ 4 tokens cut off');
    await cut.press('Enter');
    expect(await page.locator('.removed .token').count()).toBe(4);
    expect(await page.locator('.removed .counts').count()).toBe(3);
    expect(await cut.getAttribute('aria-expanded')).toBe('true');
    expect(await page.locator('.note').allInnerTexts()).toEqual(
      expect.arrayContaining([
        expect.stringContaining('in step 2, in a batch of 8 examples padded to 9 tokens'),
      ]),
    );
    await healthy();
  });

  it('walks through the tokens by keys, with each in words', async () => {
    const { page } = await open(TAGGED);
    const focused = () => page.evaluate(() => (document.activeElement as HTMLElement).dataset.at);
    await page.locator('.tokens [tabindex="0"]').focus();
    await page.keyboard.press('ArrowRight');
    expect(await focused()).toBe('1');
    expect(await page.locator('.detail').innerText()).toBe(
      'Token 2 of 4: “␣Paris”, id 5, counts in the loss, to be answered with B-LOC, weight 2.5',
    );
    await page.keyboard.press('End');
    expect(await focused()).toBe('3');
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toBe('3');
    await page.keyboard.press('Home');
    expect(await focused()).toBe('0');
    expect(await page.locator('.tokens [tabindex="0"]').count()).toBe(1);
  });

  it('asks for other rows, the other data, a typed row, and the batch', async () => {
    const { page } = await open({});
    await page.locator('[data-action=next]').press('Enter');
    await page.locator('[data-action=previous]').press('Enter');
    await page.locator('[data-field=split]').selectOption('validation');
    await page.locator('[data-field=row]').fill('train-2.csv:40');
    await page.locator('[data-field=row]').press('Enter');
    await page.locator('[data-field=row]').fill(' 40 ');
    await page.locator('[data-field=row]').press('Enter');
    await page.locator('[data-action=batch]').press('Enter');
    await page.locator('[data-action=open]').press('Enter');
    await page.locator('[data-action=experiment]').press('Enter');
    expect((await asked()).slice(1)).toEqual([
      { type: 'show', row: '13', split: 'train' },
      { type: 'show', row: '11', split: 'train' },
      { type: 'show', split: 'validation' },
      { type: 'show', row: 'train-2.csv:40' },
      { type: 'show', row: '40', split: 'train' },
      { type: 'show', row: '12', split: 'train', batch: true },
      { type: 'openRow' },
      { type: 'openExperiment' },
    ]);
    await show({ previous: undefined, name: '1', at: 1 });
    expect(await page.locator('[data-action=previous]').getAttribute('disabled')).not.toBeNull();
  });

  it('shows the texts of a packed row with their borders, and leads to the others', async () => {
    const { page } = await open(PACKED);
    expect(await page.locator('.text .border').allInnerTexts()).toEqual(['3', '12 (this row)']);
    await page.locator('.border button').press('Enter');
    expect((await asked()).at(-1)).toEqual({ type: 'show', row: '3', split: 'train' });
    await healthy();
  });

  it('warns where nothing counts in the loss', async () => {
    const { page } = await open({
      tokens: tokensOf('a', 'b'),
      leftOut: { reason: 'no token of the answer is left within model.maxLength', fails: true },
    });
    const warning = page.locator('.warning[role=alert]');
    expect(await warning.innerText()).toMatch(
      /^Nothing in this row counts in the loss: .*\n+.*chat template/,
    );
    await healthy();
  });

  it('keeps the row below an error, and offers the first one if there is none', async () => {
    const { page } = await open();
    await opened.send({ type: 'error', message: 'train.jsonl has no row 500.' });
    expect(await page.locator('.error').innerText()).toContain('has no row 500');
    await page.locator('button.link').press('Enter');
    expect((await asked()).at(-1)).toEqual({ type: 'show' });
    await show({});
    await opened.send({ type: 'error', message: 'train.jsonl has no row 500.' });
    expect(await page.locator('.error').innerText()).toContain('has no row 500');
    expect(await page.locator('.tokens .token').count()).toBe(7);
  });

  it('draws the first tokens of a long row, and all of them on request', async () => {
    const { page } = await open({ tokens: tokensOf(...Array.from({ length: 3000 }, (_, i) => ` w${i}`)) });
    expect(await page.locator('.tokens .token').count()).toBe(2000);
    await page.locator('[data-action=all]').press('Enter');
    await expect.poll(() => page.locator('.tokens .token').count()).toBe(3000);
  });

  it('draws all tokens where a packed row begins after the first ones', async () => {
    const packed = { row: 1, rows: 1, own: 1 };
    const texts = (first: number) => [
      { name: '3', begin: 0, size: first },
      { name: '12', begin: first, size: 2 },
    ];
    const tokens = (n: number) => tokensOf(...Array.from({ length: n }, (_, i) => ` w${i}`));
    const { page } = await open({ tokens: tokens(2502), packed: { ...packed, texts: texts(2500) } });
    expect(await page.locator('.text.own .token').allInnerTexts()).toEqual([' w2500', ' w2501']);
    expect(await page.locator('.detail').innerText()).toContain('Token 2501 of 2502');
    // The file changed: the same row has fewer tokens before it.
    await show({ tokens: tokens(12), packed: { ...packed, texts: texts(10) } });
    await expect.poll(() => page.locator('.detail').innerText()).toContain('Token 12 of 12');
    expect(await page.locator('.tokens [tabindex="0"]').count()).toBe(1);
  });

  it('escapes marks that would reverse the text, and control characters', async () => {
    const { page } = await open({
      tokens: [
        { id: 7, text: 'a\u202eb', counts: true, label: 'B\u2066' },
        { id: 8, text: '\u009b\u0007\t\n' },
      ],
    });
    const shown = await page.locator('.tokens .token').allTextContents();
    expect(shown[0]).toMatch(/^\s*a\\u202eb\s*→\u2060B\\u2066\s*$/);
    expect(shown[1]).toContain('\\u009b\\u0007⇥\t↵\n');
    expect(await page.locator('.detail').innerText()).toContain('“a\\u202eb”');
    const label = await page.locator('.tokens .token').first().getAttribute('aria-label');
    expect(label).toContain('to be answered with B\\u2066');
    const all = await page.locator('main').textContent();
    for (const mark of ['\u202e', '\u2066', '\u0007', '\u009b']) expect(all).not.toContain(mark);
    await healthy();
  });

  it('shows real rows, and the error for one that is not there', async () => {
    const lab = new Lab();
    try {
      await wire(lab);
      const { page } = opened;
      await page.locator('main').waitFor();
      expect(await page.locator('h1').innerText()).toBe('Tokens of train.jsonl, line 1');
      const { text, label } = JSON.parse(lab.read('train.jsonl').split('\n')[0]!) as Record<string, string>;
      expect(await page.locator('.summary').innerText()).toContain(`with the label ${label}.`);
      // Words of several tokens are joined; unlike the text, tokens have no space before a sign.
      const shown = (await page.locator('.tokens').textContent())!.replace(/\s/g, '');
      expect(shown).toContain(`[CLS]${text!.replace(/\s/g, '')}[SEP]`);
      await page.locator('[data-action=next]').press('Enter');
      await expect.poll(() => page.locator('h1').innerText()).toBe('Tokens of train.jsonl, line 2');
      await page.locator('[data-field=row]').fill('500');
      await page.locator('[data-field=row]').press('Enter');
      await page.locator('.error', { hasText: 'It has 96 rows, from line 1 to line 96.' }).waitFor();
      await healthy();
    } finally {
      lab.remove();
    }
  });

  it('is legible in every theme and at every width', async () => {
    const { page } = await open(TAGGED);
    await page.locator('button.cut').press('Enter');
    for (const look of [...LOOKS, ...THEMES.map((theme) => ({ theme, width: 1000 }))]) {
      await opened.look(look);
      expect(await shownTexts(page)).toBeGreaterThan(10);
      expect(await faintTexts(page), look.theme).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, `${look.theme} at ${look.width}`).toBeLessThanOrEqual(0);
      await opened.screenshot(`tokens-${look.theme}-${look.width}`);
    }
    await show({ ...PACKED, name: '3' });
    for (const look of LOOKS) {
      await opened.look(look);
      await opened.screenshot(`tokens-packed-${look.theme}-${look.width}`);
    }
  });
});
