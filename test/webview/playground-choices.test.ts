import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { PlaySample } from '../../src/protocol/playground';
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

const SHAPES = { input: 'text', answer: 'choice' } as const;
const SAMPLE: PlaySample = {
  text: 'Where does a cat sleep?',
  choices: ['in a cloud', 'in a\nbed', 'in the sea'],
  label: 'in a\nbed',
  file: 'validation.json',
  line: 7,
};

/** The last choice is the likeliest; for the base, all are the same. */
const program = scripted({
  shapes: SHAPES,
  labels: [],
  sample: SAMPLE,
  answer({ choices }, _, variant) {
    const n = choices!.length;
    const probabilities = choices!.map((_, i) =>
      variant === 'base' ? 1 / n : (i + 1) / ((n * (n + 1)) / 2),
    );
    return { probabilities, choices: choices! };
  },
});

const show = async (options: WireOptions = {}) => {
  const w = await wire({ kind: 'run', run: '/runs/qa', at: 'best' }, { shapes: SHAPES, program, ...options });
  open.push(w);
  return w;
};
const action = (w: Wired, name: string) => w.page.locator(`[data-action="${name}"]`);
const box = (w: Wired, name: 'Question' | 'Choices') => w.page.getByRole('textbox', { name });
const verdict = async (w: Wired, key = 'own adapted') =>
  (await w.page.locator(`[data-column="${key}"] .verdict`).innerText()).split(/\n+/);

describe('the playground of questions with choices', () => {
  it('has no problems in any theme and width', async () => {
    const w = await show(LOOKS[0]);
    await action(w, 'sample').click();
    await w.page.locator('.card .verdict').first().waitFor();
    await expectSoundInAllLooks(w, 'playground-choices', 20);
  });

  it('asks a validation question with its choices, and says which is right', async () => {
    const w = await show();
    await action(w, 'sample').click();
    await expect.poll(() => box(w, 'Choices').inputValue()).toBe('in a cloud\nin a bed\nin the sea');
    await expect
      .poll(() => verdict(w))
      .toEqual(['in the sea 50.0%', '✗ The right choice is in a bed: 33.3%.']);
    expect(await w.page.locator('.truth-line').innerText()).toBe(
      'validation.json, item 7. Its right choice: in a bed',
    );
  });

  it('asks what is typed once there are two choices', async () => {
    const w = await show();
    await box(w, 'Question').fill('Which?');
    await box(w, 'Choices').fill('this\n');
    await expect.poll(() => action(w, 'ask').getAttribute('disabled')).not.toBeNull();
    await box(w, 'Choices').fill('this\n\n that \n');
    await expect.poll(() => verdict(w)).toEqual(['that 66.7%']);
    const rows = await w.page.locator('[data-column="own adapted"] tbody th').allInnerTexts();
    expect(rows).toEqual(['that', 'this']);
  });
});
