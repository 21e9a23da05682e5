import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { PlaySample } from '../../src/protocol/playground';
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

const SHAPES = { input: 'text', answer: 'labels' } as const;
/** One of them has a comma. */
const LABELS = ['bug', 'docs', 'frontend', 'help, wanted', 'perf', 'security', 'tests', 'wontfix'];
const SAMPLE: PlaySample = {
  text: 'The new release breaks the login page.',
  label: 'bug, help, wanted, wontfix',
  labels: ['bug', 'help, wanted', 'wontfix'],
  file: 'validation.jsonl',
  line: 7,
};

/** The probabilities fall from the first label on; a text with its name has a label for sure. */
const program = (sample = SAMPLE) =>
  scripted({
    shapes: SHAPES,
    labels: LABELS,
    sample,
    answer({ text }, subject, variant) {
      const [high, step] = variant === 'base' ? [0.4, 0.05] : subject === 'own' ? [0.95, 0.15] : [0.95, 0.3];
      const quiet = text.includes('nothing') ? 0.3 : 1;
      return {
        probabilities: LABELS.map((l, i) =>
          text.includes(l) ? 0.99 : Math.max(0, quiet * (high - step * i)),
        ),
      };
    },
  });

const show = async (options: WireOptions = {}) => {
  const w = await wire(
    { kind: 'run', run: '/runs/tags', at: 'best' },
    { shapes: SHAPES, program: program(), ...options },
  );
  open.push(w);
  return w;
};
const column = (w: Wired, key: string) => w.page.locator(`[data-column="${key}"]`);
const action = (w: Wired, name: string) => w.page.locator(`[data-action="${name}"]`);
const type = (w: Wired, text: string) => w.page.locator('textarea').fill(text);
const verdict = async (w: Wired, key = 'own adapted') =>
  (await column(w, key).locator('.verdict').innerText()).split(/\n+/);
const table = (w: Wired, key = 'own adapted') =>
  column(w, key)
    .locator('tbody tr')
    .evaluateAll((all) =>
      all.map((r) => [r.children[0], ...[...r.children].slice(2)].map((c) => c.textContent.trim())),
    );

describe('the playground of several labels', () => {
  it('has no problems in any theme and width', async () => {
    const w = await show({ ...LOOKS[0], picks: ['/runs/other'] });
    await action(w, 'sample').click();
    await action(w, 'compare').click();
    await w.page.locator('.card tbody').nth(2).waitFor();
    await expectSoundInAllLooks(w, 'playground-label-sets', 20);
  });

  it('marks the labels that are more likely than not', async () => {
    const w = await show();
    await type(w, 'Something is slow.');
    await expect.poll(() => verdict(w)).toEqual(['bug, docs, frontend']);
    expect(await table(w)).toEqual([
      ['Predicted: bug', '95.0%', ''],
      ['Predicted: docs', '80.0%', ''],
      ['Predicted: frontend', '65.0%', ''],
      ['help, wanted', '50.0%', ''],
      ['perf', '35.0%', ''],
    ]);
    expect(await column(w, 'own adapted').locator('.mark.predicted').count()).toBe(3);
    expect(await verdict(w, 'own base')).toEqual(['no label', '≠ 0 not in tags, 3 only in tags']);
    expect((await table(w, 'own base'))[0]).toEqual(['bug', '40.0%', '▼ 55.0']);
    await action(w, 'all').click();
    await expect.poll(async () => (await table(w)).length).toBe(8);
    expect(await action(w, 'all').innerText()).toBe('Show the Top 5');
    await type(w, 'nothing');
    await expect.poll(() => verdict(w)).toEqual(['no label']);
    expect(await w.page.locator('.legend').count()).toBe(0);
  });

  it('shows which labels of a validation text are found, missed and spurious', async () => {
    const w = await show();
    await action(w, 'sample').click();
    await expect
      .poll(() => w.page.locator('.truth-line').innerText())
      .toBe('validation.jsonl, line 7. Its labels: bug, help, wanted, wontfix');
    await expect
      .poll(() => verdict(w))
      .toEqual(['bug, docs, frontend', '✗ 1 of its 3 labels found, 2 spurious.']);
    // The last one is far down, but a label of the text.
    expect((await table(w)).map(([name]) => name)).toEqual([
      'Found: bug',
      'Spurious: docs',
      'Spurious: frontend',
      'Missed: help, wanted',
      'perf',
      'Missed: wontfix',
    ]);
    expect(await w.page.locator('.legend li').count()).toBe(3);
    await w.page.locator('textarea').press('End');
    await w.page.keyboard.type('!');
    await w.page.locator('.judged').first().waitFor({ state: 'detached' });
    expect(await w.page.locator('.legend').count()).toBe(0);
  });

  it('says when all labels are right, and when a text has none', async () => {
    const right = await show({ program: program({ ...SAMPLE, labels: ['frontend', 'docs', 'bug'] }) });
    await action(right, 'sample').click();
    await expect.poll(() => verdict(right)).toEqual(['bug, docs, frontend', '✓ These are its labels.']);
    const none = await show({ program: program({ ...SAMPLE, text: 'nothing', label: '', labels: [] }) });
    await action(none, 'sample').click();
    await expect.poll(() => verdict(none)).toEqual(['no label', '✓ It has none.']);
    expect(await none.page.locator('.truth-line').innerText()).toBe(
      'validation.jsonl, line 7. It has no labels.',
    );
  });

  it('copies the labels and announces them to a screen reader', async () => {
    const w = await show();
    await type(w, 'Needs tests.');
    await expect.poll(() => verdict(w)).toEqual(['tests, bug, docs, frontend']);
    await action(w, 'copy').click();
    await expect.poll(() => w.copied.length).toBe(1);
    expect(w.copied[0]).toMatch(
      /^Needs tests\.\n\ntags \(step 40\)\n99\.0%\ttests\n95\.0%\tbug\n[^]*\n\(12 ms, 14 tokens\)\n\nBase model/,
    );
    await expect
      .poll(() => w.page.locator('main > .visually-hidden[role=status]').innerText())
      .toMatch(/^tags \(step 40\): tests, bug, docs, frontend\. Base model .*: tests\.$/);
  });

  it('answers with a trained run', async () => {
    const lab = new Lab({ task: { type: 'multi-label-classification' }, training: { epochs: 2 } });
    try {
      const row = (i: number) => ({
        text: ['the cat', 'the dog', 'the cat and the dog', 'the'][i % 4],
        labels: [['cat'], ['dog'], ['cat', 'dog'], []][i % 4],
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
        /^validation\.jsonl, line \d+\. It(s labels: (cat|dog)(, dog)?| has no labels\.)$/,
      );
      expect((await table(w)).map(([name]) => name.replace(/^.*: /, '')).sort()).toEqual(['cat', 'dog']);
      expect(await w.opened.complaints()).toEqual([]);
    } finally {
      lab.remove();
    }
  });
});
