import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { wrongOf } from '../../src/protocol/answers/kinds';
import type { Predictions } from '../../src/protocol/predictions';
import { labelColumns } from '../../src/protocol/answers/label';
import { predictions, type Example } from '../unit/protocol/columns';
import { chips, rows, status, wire, type Wired } from './errors-fixture';
import { closePages, LOOKS } from './harness';
import { expectSound, expectSoundInAllLooks } from './sound';

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

/** Reproducible texts with several labels. About one in three of each label is mistaken for a neighbor. */
function made(labels: number, examples: number, more: { right?: boolean; texts?: number } = {}) {
  const all = Array.from({ length: examples }, (_, i): Example => {
    const label = (i * 7 + Math.floor(i / labels)) % labels;
    const predicted = more.right || i % 3 ? label : (label + 1 + (i % 2)) % labels;
    const top = 0.4 + (0.55 * ((i * 37) % 100)) / 100;
    const shares = Array.from({ length: labels }, (_, k) =>
      k === predicted ? top : (1 - top) / (labels - 1),
    );
    return { label, shares, tokens: Math.min(48, 6 + ((i * 29) % 70)), cut: (i * 29) % 70 > 42 };
  });
  const texts = Array.from({ length: more.texts ?? examples }, (_, example) => ({
    example,
    text: `Text ${example} of a package that ${example % 7 ? 'does something' : 'plays "music", and more'}`,
  }));
  return predictions(all, {
    labels: Array.from({ length: labels }, (_, i) => (i % 4 ? `label-${i}` : `a rather long label ${i}`)),
    excerpts: texts,
  });
}

const cell = (w: Wired, label: number, predicted: number) =>
  w.page.locator('.matrix tbody tr').nth(label).locator('td').nth(predicted);
const wrongIn = (p: Predictions) => [...p.columns.line.keys()].filter((i) => wrongOf(p)[i]);

describe('the Errors page', () => {
  it('has no problems in any theme and width', async () => {
    const w = await show(made(19, 600), LOOKS[0]);
    await cell(w, 2, 3).click();
    await w.page.locator('.chip').first().waitFor();
    await w.opened.send({ type: 'outdated', because: 'data' });
    await w.page.locator('[data-action=predict]').waitFor();
    await expectSoundInAllLooks(w, 'errors', 100);
  });

  it('shows how far it is and what there is so far', async () => {
    const w = await show(made(3, 60), LOOKS[0]);
    await rows(w).first().waitFor();
    const progress = w.page.locator('.predicting');
    await w.opened.send({ type: 'predicting', run: 'first try', done: 60, of: 240 });
    await progress.waitFor();
    expect(await progress.locator('p').innerText()).toBe('Predicting: 60 of 240 examples');
    // The predictions so far stay in view.
    expect(await rows(w).count()).toBeGreaterThan(0);
    await expectSoundInAllLooks(w, 'errors-predicting', 100);
    await progress.locator('[data-action=cancel]').click();
    await expect.poll(() => w.canceled).toBe(1);
  });

  it('offers the other sets of the experiment, each in its own view', async () => {
    const alone = await show(made(5, 20));
    await rows(alone).first().waitFor();
    expect(await alone.page.locator('.data-set').count()).toBe(0);
    const w = await show(made(5, 20), { sets: ['validation', 'test', 'evaluations.films'] });
    await rows(w).first().waitFor();
    const choice = w.page.getByLabel('Data set');
    expect(await choice.locator('option').allInnerTexts()).toEqual(['Validation', 'Test', 'films']);
    await choice.selectOption('films');
    await expect.poll(() => w.sets).toEqual(['evaluations.films']);
    expect(await choice.inputValue()).toBe('validation');
    await expectSound(w, 'errors-sets', 100);
  });

  it('shows the same counts in its summary, matrix, slices and list', async () => {
    const p = made(5, 200);
    const w = await show(p);
    await rows(w).first().waitFor();
    const wrong = wrongIn(p);
    expect(await w.page.locator('.summary').innerText()).toContain(
      `${200 - wrong.length} of 200 examples right`,
    );
    const numbers = await w.page.locator('.matrix td').allInnerTexts();
    expect(numbers.length).toBe(25);
    expect(numbers.reduce((n, text) => n + Number(text), 0)).toBe(200);
    for (const name of ['labels', 'lengths']) {
      const counts = await w.page.locator(`[data-table=${name}] tbody td:nth-child(2)`).allInnerTexts();
      expect(counts.reduce((n, text) => n + Number(text), 0)).toBe(200);
    }
    expect(await status(w)).toBe(`${wrong.length} examples; 1 to 50.`);
    expect(await rows(w).count()).toBe(50);
    const { loss } = p.columns;
    const shown = await rows(w).evaluateAll((all) =>
      all.map((r) => Number((r as HTMLElement).dataset.example)),
    );
    expect(shown).toEqual(wrong.sort((a, b) => loss[b] - loss[a]).slice(0, 50));
  });

  it('lists the texts of a cell, and each filter can be removed', async () => {
    const p = made(5, 200);
    const w = await show(p);
    await cell(w, 1, 2).click();
    const n = Number(await cell(w, 1, 2).innerText());
    await expect.poll(() => status(w)).toBe(`${n} examples.`);
    await expect.poll(() => rows(w).count()).toBe(n);
    await expect.poll(() => chips(w)).toEqual(['True label: label-1', 'Predicted: label-2']);
    await expect.poll(() => cell(w, 1, 2).getAttribute('aria-selected')).toBe('true');
    await w.page.locator('[data-table=lengths] button').nth(1).click();
    await expect.poll(() => chips(w)).toHaveLength(3);
    await expect.poll(() => rows(w).count()).toBeLessThan(n);
    // Pressing it again releases it.
    await w.page.locator('[data-table=lengths] button').nth(1).click();
    await expect.poll(() => rows(w).count()).toBe(n);
    await w.page.locator('.chip').nth(1).click();
    await expect.poll(() => chips(w)).toEqual(['True label: label-1']);
    await w.page.locator('[data-table=labels] button', { hasText: 'label-3' }).click();
    await expect.poll(() => chips(w)).toEqual(['True label: label-3']);
    await w.page.locator('.chip').click();
    await expect.poll(() => status(w)).toContain(`${wrongIn(p).length} examples`);
    // Correct examples are not in the list of mistakes.
    await cell(w, 2, 2).click();
    await expect.poll(() => w.page.locator('[data-list=unsure]').getAttribute('aria-pressed')).toBe('true');
    const right = Number(await cell(w, 2, 2).innerText());
    await expect.poll(() => rows(w).count()).toBe(Math.min(50, right));
  });

  it('works by keyboard alone', async () => {
    const w = await show(made(5, 200));
    await rows(w).first().waitFor();
    const active = () =>
      w.page.evaluate(() => {
        const e = document.activeElement as HTMLElement;
        return e.getAttribute('aria-label') ?? e.id ?? e.innerText;
      });
    await w.page.locator('.matrix td[tabindex="0"]').focus();
    for (const key of ['ArrowDown', 'ArrowRight', 'ArrowRight']) await w.page.keyboard.press(key);
    await expect.poll(active).toMatch(/^label-1 predicted as label-2: \d+ examples, [\d.]+% of the label$/);
    // The whole grid is a single tab stop.
    expect(await w.page.locator('.matrix [tabindex="0"]').count()).toBe(1);
    await w.page.keyboard.press('Enter');
    await expect.poll(active).toBe('list-title');
    await w.page.locator('[data-action=back]').press('Enter');
    await expect.poll(active).toMatch(/^label-1 predicted as label-2/);
    await w.page.keyboard.press('Control+End');
    await expect.poll(active).toMatch(/^a rather long label 4, right/);
    await w.page.keyboard.press('Home');
    await expect.poll(active).toMatch(/^a rather long label 4 predicted as a rather long label 0/);
    // Tab reaches everything else, without a keyboard trap.
    await w.page.locator('h1').click();
    const reached = new Set<string>();
    for (let i = 0; i < 40; i++) {
      await w.page.keyboard.press('Tab');
      reached.add(
        await w.page.evaluate(() => {
          const { localName, className } = document.activeElement!;
          return `${localName}.${className}`;
        }),
      );
    }
    for (const kind of ['td.', 'button.link', 'button.chip', 'select.', 'input.', 'vscode-button.'])
      expect([...reached].join()).toContain(kind);
  });

  it("opens an example's row of the data file, by button and by row", async () => {
    const p = made(5, 200);
    const w = await show(p);
    await rows(w).first().waitFor();
    const lines = await w.page.locator('.list button').allInnerTexts();
    await w.page.locator('.list button').nth(2).focus();
    await w.page.keyboard.press('Enter');
    await expect.poll(() => w.rows).toEqual([`${w.data}:${lines[2]}`]);
    await rows(w).nth(4).locator('.text').click();
    await expect.poll(() => w.rows).toEqual([2, 4].map((i) => `${w.data}:${lines[i]}`));
    // Selecting text to copy it opens nothing.
    const text = (await rows(w).nth(1).locator('.text').boundingBox())!;
    await w.page.mouse.move(text.x + 4, text.y + 10);
    await w.page.mouse.down();
    await w.page.mouse.move(text.x + 120, text.y + 10, { steps: 4 });
    await w.page.mouse.up();
    await w.page.waitForTimeout(100);
    expect(w.rows).toHaveLength(2);
  });

  it('searches, sorts and pages the list and shows the number of examples', async () => {
    const p = made(5, 400, { texts: 120 });
    const w = await show(p);
    await rows(w).first().waitFor();
    await w.page.locator('[data-list=text]').click();
    await expect.poll(() => status(w)).toBe('120 examples; 1 to 50.');
    await w.page.locator('[data-action=next]').first().click();
    await expect.poll(() => status(w)).toBe('120 examples; 51 to 100.');
    await w.page.locator('[data-action=next]').last().click();
    await expect.poll(() => rows(w).count()).toBe(20);
    await expect.poll(() => w.page.evaluate(() => document.activeElement!.id)).toBe('list-title');
    await w.page.locator('input[type=search]').fill('MUSIC');
    await expect.poll(() => status(w)).toBe('18 examples.');
    await w.page.locator('input[type=search]').fill('nowhere');
    await expect.poll(() => status(w)).toBe('No example.');
    await w.page.getByText('Remove all filters.').click();
    await w.page.locator('[data-list=unsure]').click();
    await expect.poll(() => w.page.locator('select').inputValue()).toBe('margin');
    const shown = () =>
      rows(w).evaluateAll((all) => all.map((r) => Number((r as HTMLElement).dataset.example)));
    const { margin, loss } = p.columns;
    const sorted = async (column: ArrayLike<number>, sign: 1 | -1) => {
      const values = (await shown()).map((i) => sign * column[i]);
      return values.length > 1 && values.every((v, i) => i === 0 || values[i - 1] <= v);
    };
    await expect.poll(() => sorted(margin, 1)).toBe(true);
    await w.page.locator('select').selectOption('loss');
    await expect.poll(() => sorted(loss, -1)).toBe(true);
    expect(await w.page.locator('.examples .note').innerText()).toContain('Of 400 examples, the 120');
  });

  it('copies all pages of the list as CSV', async () => {
    const p = made(5, 600);
    const w = await show(p);
    await cell(w, 1, 1).click();
    const n = Number(await cell(w, 1, 1).innerText());
    expect(n).toBeGreaterThan(50);
    await w.page.locator('[data-action=copy]').click();
    await expect.poll(() => w.copied.length).toBe(1);
    const [head, ...lines] = w.copied[0].trimEnd().split('\r\n');
    expect(head).toBe('line,label,predicted,probability,label_probability,loss,margin,tokens,cut,text');
    expect(lines).toHaveLength(n);
    expect(lines.find((l) => l.includes('music'))).toMatch(
      /,"Text \d+ of a package that plays ""music"", and more"$/,
    );
    await w.page.getByText(`Copied ${n} rows.`).waitFor({ state: 'attached' });
  });

  it('restores its state', async () => {
    const p = made(5, 400);
    const w = await show(p);
    await cell(w, 2, 2).click();
    await w.page.locator('select').selectOption('loss');
    await w.page.locator('input[type=search]').fill('text 1');
    const state = () =>
      w.page.evaluate(() =>
        JSON.stringify(
          (window as unknown as { acquireVsCodeApi(): { getState(): unknown } })
            .acquireVsCodeApi()
            .getState(),
        ),
      );
    await expect.poll(state).toContain('text 1');
    const kept = await state();
    expect(kept.length).toBeLessThan(500);
    const again = await show(p, { state: JSON.parse(kept) as unknown });
    await again.page.locator('.chip').first().waitFor();
    await expect.poll(async () => (await status(again)) === (await status(w))).toBe(true);
    await expect.poll(() => chips(again)).toEqual(await chips(w));
    await expect.poll(() => again.page.locator('select').inputValue()).toBe('loss');
  });

  it('reports outdated or unreadable predictions and can have them computed again', async () => {
    const p = made(3, 60);
    const w = await show(p);
    await rows(w).first().waitFor();
    writeFileSync(w.data, 'other rows');
    w.session.refresh();
    await w.page.getByText('The data file was changed').waitFor();
    writeFileSync(w.data, 'rows');
    await w.page.locator('[data-action=predict]').click();
    await w.page.locator('[data-action=predict]').waitFor({ state: 'detached' });
    await w.page.locator('.predicting').waitFor({ state: 'detached' });
    await expect.poll(() => w.asked).toBe(1);
    const folder = join(dirname(w.data), 'predictions');
    const [name] = readdirSync(folder);
    writeFileSync(join(folder, name), '{');
    w.session.refresh();
    await w.page.locator('[role=alert]', { hasText: name }).waitFor();
    expect(await w.opened.accessibility()).toEqual([]);
    await w.page.locator('[data-action=predict]').click();
    await w.page.locator('[role=alert]').waitFor({ state: 'detached' });
    await w.page.locator('.predicting').waitFor({ state: 'detached' });
    // A deleted file is computed again without asking.
    rmSync(join(folder, name));
    w.session.refresh();
    await expect.poll(() => w.asked).toBe(3);
  });

  it('shows a message if there are no mistakes', async () => {
    const w = await show(made(3, 40, { right: true }));
    await rows(w).first().waitFor();
    expect(await w.page.locator('.summary').innerText()).toContain('gets all 40 examples right');
    expect(await w.page.locator('.pairs').count()).toBe(0);
    expect(await w.page.locator('[data-list=unsure]').getAttribute('aria-pressed')).toBe('true');
    await w.page.locator('[data-list=wrong]').click();
    await w.page.getByText('None are wrong.').waitFor();
    await w.page.getByText('Show those that the model is least sure of.').click();
    await expect.poll(() => rows(w).count()).toBe(40);
    await expect.poll(() => w.page.getByText('too few to tell').count()).toBeGreaterThan(0);
    // No example has this confusion, so the list is empty.
    await cell(w, 0, 1).click();
    expect(await w.page.locator('.chip').count()).toBe(0);
  });

  it('shows the most confused of sixty labels, and a matrix with a single label that occurs', async () => {
    const w = await show(made(60, 3000));
    await rows(w).first().waitFor();
    expect(await w.page.locator('.matrix tbody tr').count()).toBe(30);
    expect(await w.page.locator('.matrix td').count()).toBe(900);
    await w.page.getByText('Of 60 labels, these are the 30 with the most confusions').waitFor();
    expect(await w.page.locator('[data-table=labels] tbody tr').count()).toBe(10);
    await w.page.getByText('Show all 60 labels').click();
    expect(await w.page.locator('[data-table=labels] tbody tr').count()).toBeGreaterThan(10);
    expect(await w.opened.accessibility()).toEqual([]);
    const one = await show(predictions(Array.from({ length: 9 }, () => ({ label: 0, shares: [0.6, 0.4] }))));
    await rows(one).first().waitFor();
    expect(await one.page.locator('[data-table=labels] tbody tr').count()).toBe(1);
    expect(await one.page.locator('.matrix td').allInnerTexts()).toEqual(['9', '', '', '']);
    expect(await one.opened.accessibility()).toEqual([]);
  });

  it('renders one page of 100,000 examples', async () => {
    const of = (value: (i: number) => number) => Array.from({ length: 100_000 }, (_, i) => value(i));
    const share = of((i) => ((i * 31) % 1000) / 1000);
    const columns = labelColumns({
      line: of((i) => i + 1),
      label: of((i) => i % 19),
      predicted: of((i) => (i % 5 ? i % 19 : (i * 7) % 19)),
      probability: share,
      truth: of(() => 0),
      margin: share,
      loss: share.map((s) => 1 - s),
      tokens: of((i) => 5 + (i % 90)),
      cut: of(() => 0),
    });
    const w = await show({ ...made(19, 19), columns, excerpts: [] });
    await rows(w).first().waitFor();
    await w.page.locator('[data-list=unsure]').click();
    await expect.poll(() => status(w)).toBe('100,000 examples; 1 to 50.');
    await expect.poll(() => rows(w).count()).toBe(50);
  });

  it('is at most 600 KB', () => {
    expect(statSync('dist/webview/errors.js').size).toBeLessThanOrEqual(600_000);
  });
});
