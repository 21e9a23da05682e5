import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type ChoiceAnswers, choiceColumns, choiceShares } from '../../src/protocol/answers/choice';
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
const CHOICES = [
  'a cloud',
  'the sea',
  'a bed with a very long name that takes more than a line in a narrow window',
];
const SHARES = [0.1, 0.2, 0.7];

/** Every fourth question is answered wrong; of those that the model writes, every eighth with none of the choices. */
function made(scoring: ChoiceAnswers['scoring']): PredictionFacts & ChoiceAnswers {
  const isWritten = scoring === 'generation';
  const parts = isWritten ? [] : ALL.flatMap((example) => SHARES.map((p) => ({ example, probability: p })));
  return {
    step: 120,
    form: 'dynamic',
    data: { file: 'validation.json', sha256: '' },
    metrics: { loss: 1.25, accuracy: 0.75, examples: ALL.length },
    answer: 'choice',
    scoring,
    labels: [],
    columns: choiceColumns({
      line: ALL.map((i) => i + 1),
      loss: ALL.map((i) => 4 - (i % 5)),
      margin: ALL.map(() => 0.5),
      tokens: ALL.map((i) => (i < 20 ? 30 : 60)),
      cut: ALL.map((i) => Number(i === 3)),
      choices: ALL.map(() => 3),
      label: ALL.map((i) => (i % 4 === 0 ? 0 : 2)),
      predicted: ALL.map((i) => (isWritten && i % 8 === 0 ? 3 : 2)),
    }),
    shares: choiceShares({
      example: parts.map((p) => p.example),
      probability: parts.map((p) => p.probability),
    }),
    excerpts: ALL.slice(0, 38).map((example) => ({
      example,
      text: `Where does cat ${example} sleep?`,
      choices: CHOICES,
    })),
  };
}

async function show(
  scoring: ChoiceAnswers['scoring'],
  options: Parameters<typeof wire>[1] = {},
): Promise<Wired> {
  const w = await wire(made(scoring), options);
  open.push(w);
  await rows(w).first().waitFor();
  return w;
}
const choices = (w: Wired, example: number) =>
  w.page.locator(`[data-example="${example}"] .set li`).allInnerTexts();

describe('the errors of questions with choices', () => {
  it('have no problems in any theme and width', async () => {
    await expectSoundInAllLooks(await show('likelihood', LOOKS[0]), 'errors-choices', 60);
  });

  it('are each question with all of its choices, their probabilities, and how answers are found', async () => {
    const w = await show('likelihood');
    expect(await w.page.locator('.summary').innerText()).toBe(
      'The model gets 30 of 40 examples right (75.0%), and 10 wrong. Answers are found by likelihood: the choice with the largest log-probability (acc in lm-evaluation-harness). Loss 1.2500.',
    );
    expect(await w.page.locator('[data-list]').allInnerTexts()).toEqual([
      'Wrong (10)',
      'Least confident',
      'All with text (38)',
    ]);
    const shown = (await choices(w, 4)).map((words) => words.replace(/\s+/g, ' ').trim());
    expect(shown).toEqual([
      '✓ right: a cloud 10.0%',
      'the sea 20.0%',
      `▸ the answer, wrong: ${CHOICES[2]} 70.0%`,
    ]);
    await w.page.locator('[data-list=text]').click();
    await expect.poll(() => choices(w, 5)).toHaveLength(3);
    expect((await choices(w, 5))[2].replace(/\s+/g, ' ').trim()).toContain('✓▸ right, and the answer:');
    expect(w.errors).toEqual([]);
  });

  it('say where a written answer is none of the choices', async () => {
    const w = await show('generation');
    expect(await w.page.locator('.summary').innerText()).toContain('Answers are found by generation');
    expect(await w.page.locator('[data-example="8"] .set').innerText()).toContain(
      'The model named none of the choices.',
    );
    expect(await w.page.locator('[data-example="4"] .set').innerText()).not.toContain('named none');
    expect(await w.page.locator('.set .share').count()).toBe(0);
  });

  it('are found by the words of a choice, and copied', async () => {
    const w = await show('likelihood');
    await w.page.getByRole('searchbox').fill('cat 12 ');
    await expect.poll(() => status(w)).toBe('1 example.');
    await w.page.locator('[data-action=copy]').click();
    await expect.poll(() => w.copied).toHaveLength(1);
    const [head, row] = w.copied[0].trim().split(/\r?\n/);
    expect(head).toBe('line,answer,predicted,probabilities,loss,margin,tokens,cut,text');
    expect(row).toBe(`13,a cloud,${CHOICES[2]},0.1; 0.2; 0.7,2,0.5,30,0,Where does cat 12 sleep?`);
    await w.page.getByRole('searchbox').fill('the sea');
    await expect.poll(() => status(w)).toBe('10 examples.');
  });
});
