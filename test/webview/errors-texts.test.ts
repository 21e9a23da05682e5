import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { PredictionFacts } from '../../src/protocol/predictions';
import { type TextAnswers, textColumns } from '../../src/protocol/answers/text';
import { rows, status, wire, type Wired } from './errors-fixture';
import { closePages } from './harness';

let open: Wired[] = [];
afterEach(async () => {
  for (const w of open) await w.close();
  open = [];
});
afterAll(closePages);

const ALL = Array.from({ length: 60 }, (_, i) => i);

/** Completions of four tokens, of which 0 to 4 are right: the more, the lower the loss. */
const made: PredictionFacts & TextAnswers = {
  step: 120,
  form: 'dynamic',
  data: { file: 'validation.jsonl', sha256: '' },
  metrics: { loss: 2, perplexity: 7.39, tokenAccuracy: 0.5, examples: ALL.length },
  answer: 'text',
  labels: [],
  columns: textColumns({
    line: ALL.map((i) => i + 1),
    loss: ALL.map((i) => 4 - (i % 5)),
    margin: ALL.map(() => 0),
    tokens: ALL.map((i) => (i < 30 ? 8 : 20)),
    cut: ALL.map(() => 0),
    answered: ALL.map(() => 4),
    right: ALL.map((i) => i % 5),
  }),
  excerpts: ALL.slice(0, 50).map((example) => ({ example, text: `Question ${example}?`, pair: 'It is so.' })),
};

async function show(): Promise<Wired> {
  const w = await wire(made);
  open.push(w);
  await rows(w).first().waitFor();
  return w;
}

describe('the errors of a language model', () => {
  it('are perplexity and right tokens, by length and by text', async () => {
    const w = await show();
    expect(await w.page.locator('.summary').innerText()).toBe(
      'The model predicts 240 tokens of 60 texts. Loss 2.0000, perplexity 7.39, token accuracy 50.0%.',
    );
    const lengths = await w.page.locator('[data-table=lengths] tbody tr').allInnerTexts();
    expect(lengths.map((row) => row.split(/\s*\t\s*/))).toEqual([
      ['8 to 19 tokens', '30', '50.0%', '7.39'],
      ['20 tokens', '30', '50.0%', '7.39'],
    ]);
    const [worst] = await rows(w).allInnerTexts();
    expect(worst.split(/\s*\t\s*/)).toEqual([
      '54.60',
      '0 of 4',
      '8',
      '1',
      expect.stringMatching(/^Question 0\?\s+It is so\./),
    ]);
    expect(w.errors).toEqual([]);
  });

  it('have a list of all, the largest loss first, to find words of prompts and answers in, and to copy', async () => {
    const w = await show();
    expect(await w.page.locator('[data-list]').allInnerTexts()).toEqual(['All (60)', 'All with text (50)']);
    expect(await w.page.locator('.tools select').count()).toBe(0);
    await w.page.getByRole('searchbox').fill('question 7?');
    await expect.poll(() => status(w)).toBe('1 example.');
    await w.page.locator('[data-action=copy]').click();
    await expect.poll(() => w.copied).toHaveLength(1);
    const [head, row] = w.copied[0].trim().split(/\r?\n/);
    expect(head).toContain('loss,predicted_tokens,right_tokens');
    expect(row).toContain('2,4,2');
    expect(row).toContain('Question 7?,It is so.');
    await w.page.getByRole('searchbox').fill('it is so');
    await expect.poll(() => status(w)).toBe('50 examples.');
  });
});
