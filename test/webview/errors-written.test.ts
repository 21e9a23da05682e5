import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type WrittenAnswers, writtenColumns } from '../../src/protocol/answers/written';
import type { PredictionFacts } from '../../src/protocol/predictions';
import { rows, status, wire, type Wired } from './errors-fixture';
import { closePages, LOOKS } from './harness';
import { expectSoundInAllLooks } from './sound';

let open: Wired[] = [];
afterEach(async () => {
  for (const w of open) await w.close();
  open = [];
});
afterAll(closePages);

const ALL = Array.from({ length: 40 }, (_, i) => i);

/** Every fourth answer is wrong, and every eighth has none after ####, although its last number is right. */
const isWrong = (i: number) => i % 4 === 0;
const isBare = (i: number) => i % 8 === 0;
const LONG = 'She has some, and buys more, and in the end she counts all of them once again. ';

const made: PredictionFacts & WrittenAnswers = {
  step: 120,
  form: 'dynamic',
  data: { file: 'validation.jsonl', sha256: '' },
  metrics: {
    loss: 1.25,
    perplexity: 3.49,
    tokenAccuracy: 0.8,
    exactMatch: 0.75,
    lastNumber: 0.875,
    examples: 40,
  },
  answer: 'written',
  labels: [],
  columns: writtenColumns({
    line: ALL.map((i) => i + 1),
    loss: ALL.map((i) => 4 - (i % 5)),
    margin: ALL.map(() => 0),
    tokens: ALL.map((i) => (i < 20 ? 30 : 60)),
    cut: ALL.map(() => 0),
    answered: ALL.map(() => 12),
    right: ALL.map(() => 9),
    written: ALL.map((i) => 10 + i),
  }),
  texts: ALL.map((i) =>
    isBare(i) ? `So it is ${i}` : `${i === 5 ? LONG.repeat(5) : 'So'}\n#### ${isWrong(i) ? i + 1 : i}`,
  ),
  references: ALL.map((i) => `It is ${i}.\n#### ${i}`),
  judged: [
    {
      scoring: 'exact-match',
      right: ALL.map((i) => Number(!isWrong(i))),
      reference: ALL.map(String),
      written: ALL.map((i) => (isBare(i) ? null : String(isWrong(i) ? i + 1 : i))),
    },
    {
      scoring: 'last-number',
      right: ALL.map((i) => Number(!isWrong(i) || isBare(i))),
      reference: ALL.map(String),
      written: ALL.map((i) => String(isWrong(i) && !isBare(i) ? i + 1 : i)),
    },
  ],
  excerpts: ALL.slice(0, 38).map((example) => ({ example, text: `How many has cat ${example}?` })),
};

async function show(answers: typeof made = made, options: Parameters<typeof wire>[1] = {}): Promise<Wired> {
  const w = await wire(answers, options);
  open.push(w);
  await rows(w).first().waitFor();
  return w;
}
const cell = async (w: Wired, example: number, name: string) =>
  (await w.page.locator(`[data-example="${example}"] .${name}`).innerText()).replace(/\s+/g, ' ').trim();

describe('the errors of written answers', () => {
  it('have no problems in any theme and width', async () => {
    await expectSoundInAllLooks(await show(made, LOOKS[0]), 'errors-written', 60);
  });

  it('are the shares of right answers by each method, and the texts without an answer', async () => {
    const w = await show();
    expect(await w.page.locator('.summary').innerText()).toBe(
      'The model gets 30 of 40 examples right (75.0%), and 10 wrong. Judged by exact match. By last number, 35 of 40 are right (87.5%). By exact match, 5 written texts have no answer. Loss 1.2500, perplexity 3.49, token accuracy 80.0%.',
    );
    expect(await w.page.locator('[data-list]').allInnerTexts()).toEqual([
      'Wrong (10)',
      'All (40)',
      'All with text (38)',
    ]);
    expect(w.errors).toEqual([]);
  });

  it('show the written text beside that in the data, and the answers found in both', async () => {
    const w = await show();
    expect(await cell(w, 4, 'set')).toBe('✗ wrong: exact match 5, not 4 ✗ wrong: last number 5, not 4');
    expect(await cell(w, 8, 'set')).toBe('✗ wrong: exact match none found, not 8 ✓ right: last number 8');
    expect(await cell(w, 8, 'written')).toBe('Written, 18 tokens So it is 8 In the data It is 8. #### 8');
    const words = w.page.locator('[data-example="4"] .written .words');
    expect(await words.first().innerText()).toBe('So\n#### 5');
    await w.page.locator('[data-list=all]').click();
    await expect.poll(() => cell(w, 5, 'set')).toBe('✓ right: exact match 5 ✓ right: last number 5');
  });

  it('are found by words that the model wrote, and copied with both texts', async () => {
    const w = await show();
    await w.page.getByRole('searchbox').fill('so it is 16');
    await expect.poll(() => status(w)).toBe('1 example.');
    await w.page.locator('[data-action=copy]').click();
    await expect.poll(() => w.copied).toHaveLength(1);
    const [head, row] = w.copied[0].trim().split(/\r?\n(?=\d)/);
    expect(head.trim()).toBe(
      'line,exact-match,exact-match written,exact-match in data,last-number,last-number written,last-number in data,loss,written_tokens,written,in_data,tokens,cut,text',
    );
    expect(row).toContain('17,0,,16,1,16,16,3,26,So it is 16,');
  });

  it('say that nothing was written, and offer no list of confidence if none are wrong', async () => {
    const judged = made.judged.map((one) => ({ ...one, right: ALL.map(() => 1) }));
    const w = await show({ ...made, judged, texts: ALL.map(() => '') });
    await w.page.locator('[data-list=wrong]').click();
    await expect.poll(() => w.page.locator('.empty').innerText()).toBe('None are wrong.');
    await w.page.locator('[data-list=all]').click();
    await expect.poll(() => cell(w, 1, 'written')).toContain('nothing');
  });
});
