import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { PlaySample } from '../../src/protocol/playground';
import { closePages, LOOKS } from './harness';
import { wire, type Wired, type WireOptions } from './playground-fixture';
import { scripted } from './scripted';
import { expectSound, expectSoundInAllLooks } from './sound';

let open: Wired[] = [];
afterEach(async () => {
  for (const w of open) await w.close();
  open = [];
});
afterAll(closePages);

const SHAPES = { input: 'text', answer: 'tokens' } as const;
const SAMPLE: PlaySample = { text: 'a [MASK] sleeps', label: 'cat', file: 'validation.csv', line: 7 };

/** A program in which the base model finds the other of two tokens likelier. */
const program = scripted({
  shapes: SHAPES,
  labels: [],
  facts: { mask: '[MASK]' },
  sample: SAMPLE,
  answer({ text }, _, variant) {
    const tokens = (variant === 'base' ? ['dog', 'cat'] : ['cat', 'cow']).map((token, i) => ({
      token,
      probability: i ? 0.2 : 0.7,
    }));
    return {
      masks: text
        .split('[MASK]')
        .slice(1)
        .map(() => tokens),
    };
  },
});

const show = async (options: WireOptions = {}) => {
  const w = await wire(
    { kind: 'run', run: '/runs/mlm', at: 'best' },
    { shapes: SHAPES, program, ...options },
  );
  open.push(w);
  return w;
};
const action = (w: Wired, name: string) => w.page.locator(`[data-action="${name}"]`);
const card = (w: Wired, key: string) => w.page.locator(`[data-column="own ${key}"]`);
const lines = async (w: Wired, key: string, part: string) =>
  (await card(w, key).locator(part).innerText()).split(/\n+/);

describe('the playground of masked tokens', () => {
  it('has no problems in any theme and width', async () => {
    const w = await show(LOOKS[0]);
    await action(w, 'sample').click();
    await w.page.locator('.card .verdict').nth(1).waitFor();
    await expectSoundInAllLooks(w, 'playground-masks', 20);
  });

  it('says which tokens are likely in the place of a hidden word, beside those of the base', async () => {
    const w = await show();
    await action(w, 'sample').click();
    await expect
      .poll(() => lines(w, 'adapted', '.verdict'))
      .toEqual(['cat 70.0%', '✓ That is the hidden word.']);
    expect(await w.page.locator('.truth-line').innerText()).toBe(
      'validation.csv, line 7. The hidden word: cat',
    );
    expect(await lines(w, 'base', '.verdict')).toEqual([
      'dog 70.0%',
      '✗ The hidden word is cat: 20.0%.',
      '≠ cat of mlm',
    ]);
    const rows = await card(w, 'base').locator('tbody tr').allInnerTexts();
    expect(rows.map((r) => r.split(/\s+/).filter(Boolean).join(' '))).toEqual([
      'dog 70.0% –',
      'cat 20.0% ▼ 50.0',
    ]);
    await action(w, 'copy').click();
    await expect
      .poll(() => w.copied[0])
      .toMatch(/^a \[MASK\] sleeps\n\nmlm \(step 40\)\n70\.0%\tcat\n20\.0%\tcow\n/);
  });

  it('asks once there is a mask, which a button writes where the cursor is', async () => {
    const w = await show();
    const box = w.page.getByRole('textbox', { name: 'Text' });
    await box.fill('a  and a ');
    await expect.poll(() => action(w, 'ask').getAttribute('disabled')).not.toBeNull();
    await box.evaluate((b: HTMLTextAreaElement) => b.setSelectionRange(2, 2));
    await action(w, 'mask').click();
    await expect.poll(() => lines(w, 'adapted', '.verdict')).toEqual(['cat 70.0%']);
    await w.page.keyboard.press('End');
    await w.page.keyboard.type('[MASK]');
    expect(await box.inputValue()).toBe('a [MASK] and a [MASK]');
    await expect.poll(() => lines(w, 'adapted', '.verdict')).toEqual(['cat · cat']);
    expect(await card(w, 'adapted').locator('caption').allInnerTexts()).toEqual([
      'Mask 1: probabilities of mlm (step 40)',
      'Mask 2: probabilities of mlm (step 40)',
    ]);
  });
});

describe('the playground of a language model with a prompt template', () => {
  const shapes = { input: 'text', answer: 'text' } as const;
  const written = (w: Wired) => w.page.locator('.card .written').first().innerText();

  it('puts what is typed into it, unless it is switched off', async () => {
    const template = 'Question: {text}\nAnswer:';
    const w = await show({
      shapes,
      program: scripted({ shapes, labels: [], facts: { template }, sample: SAMPLE }),
    });
    expect(await w.page.locator('.template code').innerText()).toBe('Question: {text}↵Answer:');
    await w.page.getByRole('textbox', { name: 'Prompt' }).fill('Is it?');
    await action(w, 'ask').click();
    await expect.poll(() => written(w)).toBe('Question: Is it?\nAnswer: in the template');
    await w.page.locator('.template vscode-checkbox').click();
    await action(w, 'ask').click();
    await expect.poll(() => written(w)).toBe('Is it? as typed');
    await expectSound(w, 'playground-template', 15);
  });
});
