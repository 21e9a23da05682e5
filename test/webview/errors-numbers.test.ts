import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { plotOf, ticksWithin } from '../../webview/errors/number-scatter';
import { numberPredictions, type NumberExample } from '../unit/protocol/columns';
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

const FIRST = ['A man is playing a guitar.', 'Two dogs run along the beach.', 'The council met on Monday.'];
const SECOND = [
  'Someone plays an instrument while a crowd listens to the music in the park.',
  'Dogs are running.',
  'Nobody came to the meeting of the council, which was therefore put off until the next week.',
];

/** Similarities of pairs, from 0 to 5; every number is predicted closer to the middle than it is. */
const made = (examples: number) =>
  numberPredictions(
    Array.from({ length: examples }, (_, i): NumberExample => {
      const value = (i % 21) / 4;
      const noise = (((i * 7919) % 1000) / 1000 - 0.5) * (i % 50 === 3 ? 5 : 1.2);
      return {
        value,
        predicted: 2.5 + 0.8 * (value - 2.5) + noise,
        tokens: 8 + ((i * 13) % 60),
        cut: i % 40 === 5,
      };
    }),
    {
      excerpts: Array.from({ length: Math.min(examples, 100) }, (_, example) => ({
        example,
        text: FIRST[example % 3],
        pair: SECOND[example % 3],
      })),
    },
  );

const cells = (w: Wired, table: string) =>
  w.page
    .locator(`[data-table=${table}] tbody tr`)
    .evaluateAll((all) =>
      all.map((row) => [...row.children].map((c) => (c as HTMLElement).innerText.split('\n')[0])),
    );

describe('the ticks of an axis', () => {
  it('are few and round, within the axis, and have the same distance', () =>
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        (low, length) => {
          const ticks = ticksWithin(low, low + length).map((tick) => tick.value);
          const step = ticks[1] - ticks[0];
          const slack = 1e-6 * step + 1e-12 * Math.abs(low);
          expect(ticks[0]).toBeGreaterThanOrEqual(low - slack);
          expect(ticks.at(-1)).toBeLessThanOrEqual(low + length + slack);
          expect(ticks.length).toBeGreaterThan(1);
          expect(ticks.length).toBeLessThan(9);
          for (const [i, tick] of ticks.slice(1).entries())
            expect(Math.abs(tick - ticks[i] - step)).toBeLessThan(slack);
        },
      ),
    ));

  it('are those a person would choose', () => {
    const labels = (low: number, high: number) => ticksWithin(low, high).map((tick) => tick.label);
    expect(labels(-0.2, 5.2)).toEqual(['0', '1', '2', '3', '4', '5']);
    expect(labels(0.07, 0.93)).toEqual(['0.2', '0.4', '0.6', '0.8']);
    expect(labels(-40, 1040)).toEqual(['0', '200', '400', '600', '800', '1,000']);
    expect(labels(1999.9, 2001.1)).toEqual(['2,000', '2,000.2', '2,000.4', '2,000.6', '2,000.8', '2,001']);
  });
});

describe('the plot of predicted against true numbers', () => {
  const number = fc.double({ min: -100, max: 100, noNaN: true });
  const numbers = fc.array(fc.record({ value: number, predicted: number }), { minLength: 1, maxLength: 40 });

  it('has each example once, within the axes', () =>
    fc.assert(
      fc.property(numbers, fc.boolean(), (some, many) => {
        const all = many ? Array.from({ length: 1001 }, (_, i) => some[i % some.length]) : some;
        const { points, cells } = plotOf(numberPredictions(all).columns);
        const counted = cells.reduce((n, c) => n + c.count, 0);
        expect([points.length, counted]).toEqual(many ? [0, 1001] : [some.length, 0]);
        for (const { x, y } of [...points, ...cells]) {
          expect(x >= 0 && x <= 1 && y >= 0 && y <= 1).toBe(true);
        }
        for (const { x, y, size } of cells) expect(Math.max(x, y) + size).toBeLessThanOrEqual(1 + 1e-9);
      }),
    ));

  it('has a number that is predicted right on its diagonal', () => {
    const { points } = plotOf(
      numberPredictions([
        { value: 2, predicted: 2 },
        { value: 0, predicted: 5 },
      ]).columns,
    );
    expect(points[0].x).toBe(points[0].y);
    expect(points[1].y).toBeGreaterThan(points[1].x);
  });
});

describe('the Errors page of numbers', () => {
  it('has no problems in any theme and width', async () => {
    const w = await show(made(300), LOOKS[0]);
    await w.page.locator('[data-table=values] button').nth(1).click();
    await w.page.locator('.chip').first().waitFor();
    await expectSoundInAllLooks(w, 'errors-numbers', 100);
  });

  it('says how far off the numbers are, overall, by true number and by length', async () => {
    const all = [
      { value: 1, predicted: 1.5, tokens: 8 },
      { value: 2, predicted: 2.25, tokens: 8 },
      { value: 3, predicted: 1, tokens: 40 },
      { value: 4, predicted: 4, tokens: 40 },
    ];
    const w = await show(numberPredictions(all));
    await rows(w).first().waitFor();
    expect(await w.page.locator('.summary').innerText()).toBe(
      'Half of the 4 predicted numbers are off by 0.250 or less. The mean error is -0.313, the largest -2.000. ' +
        'Loss 0.2500, Pearson 0.912, Spearman 0.899, RMSE 0.5000.',
    );
    expect(await cells(w, 'values')).toEqual([
      ['1', '1', '0.500', '', '+0.500'],
      ['2', '1', '0.250', '', '+0.250'],
      ['3', '1', '2.000', '', '-2.000'],
      ['4', '1', '0.000', '', '0.000'],
    ]);
    expect(await cells(w, 'lengths')).toEqual([
      ['8 to 39 tokens', '2', '0.395', '', '+0.375'],
      ['40 tokens', '2', '1.414', '', '-1.000'],
    ]);
    expect(
      await w.page
        .locator('.slices thead')
        .evaluateAll((all) => all.map((h) => (h as HTMLElement).innerText.trim())),
    ).toEqual(['score\tExamples\tRMSE\tMean error', 'Length\tExamples\tRMSE\tMean error']);
  });

  it('lists the largest errors first, and has no list of wrong ones', async () => {
    const p = made(60);
    const w = await show(p);
    await rows(w).first().waitFor();
    expect(await w.page.locator('.toggle button').allInnerTexts()).toEqual([
      'All (60)',
      'All with text (60)',
    ]);
    expect(await w.page.locator('[data-list=all]').getAttribute('aria-pressed')).toBe('true');
    expect(await w.page.locator('.tools select').count()).toBe(0);
    await w.page.getByText('Largest error first').waitFor();
    const errors = await rows(w)
      .locator('td:nth-child(3)')
      .evaluateAll((all) => all.map((c) => Math.abs(Number(c.lastChild!.textContent))));
    expect(errors).toHaveLength(50);
    expect(errors).toEqual(errors.toSorted((a, b) => b - a));
    const { value, predicted } = p.columns;
    const worst = [...value.keys()].sort(
      (a, b) => Math.abs(predicted[b] - value[b]) - Math.abs(predicted[a] - value[a]),
    )[0];
    const first = rows(w).first();
    expect(await first.getAttribute('data-example')).toBe(String(worst));
    expect(await first.locator('td.text').innerText()).toBe(`${FIRST[worst % 3]}\n${SECOND[worst % 3]}`);
    await first.getByRole('button').press('Enter');
    await expect.poll(() => w.rows).toEqual([`${w.data}:${worst + 1}`]);
  });

  it('filters by true number and by length, by keyboard alone, and restores both', async () => {
    const p = made(105);
    const w = await show(p);
    const bin = w.page.locator('[data-table=values] button').nth(2);
    const name = await bin.innerText();
    expect(name).toBe('2.25 to 3');
    await bin.press('Enter');
    await expect.poll(() => chips(w)).toEqual(['score: 2.25 to 3']);
    const within = p.columns.value.filter((v) => v >= 2.25 && v <= 3).length;
    await expect.poll(() => status(w)).toBe(`${within} examples.`);
    expect(await bin.getAttribute('aria-pressed')).toBe('true');
    await w.page.locator('[data-table=lengths] button').first().press('Enter');
    await expect.poll(() => chips(w)).toHaveLength(2);
    await w.page.locator('[data-action=copy]').press('Enter');
    await expect.poll(() => w.copied.length).toBe(1);
    const [head, ...lines] = w.copied[0].trimEnd().split('\r\n');
    expect(head).toBe('line,true,predicted,error,loss,tokens,cut,text,pair');
    const [line, value, predicted, error] = lines[0].split(',').map(Number);
    expect([value, predicted]).toEqual([p.columns.value[line - 1], p.columns.predicted[line - 1]]);
    expect(error).toBe(predicted - value);
    const state = await w.opened.state();
    const again = await show(p, { state });
    await expect.poll(() => chips(again)).toHaveLength(2);
    await again.page.locator('[data-table=values] button').nth(2).press('Space');
    await expect.poll(() => chips(again)).toEqual([expect.stringContaining('tokens')]);
  });

  it('draws points, and squares for 100,000 texts, with a name for each', async () => {
    const few = await show(made(60));
    await few.page.locator('circle.point').first().waitFor();
    expect(await few.page.locator('circle.point').count()).toBe(60);
    expect(await few.page.locator('circle.point title').first().textContent()).toMatch(
      /^line 1: 0\.000, predicted as -?\d\.\d{3}$/,
    );
    const image = few.page.getByRole('img', { name: '60 texts by true and predicted score' });
    expect(await image.count()).toBe(1);
    const many = await show({ ...made(100_000), excerpts: [] });
    await rows(many).first().waitFor();
    expect(await many.page.locator('circle.point').count()).toBe(0);
    const squares = await many.page.locator('rect.cell').count();
    expect(squares).toBeGreaterThan(100);
    expect(squares).toBeLessThanOrEqual(48 ** 2);
    await many.opened.screenshot('errors-numbers-many');
    await many.page.locator('[data-table=values] button').first().click();
    await expect.poll(() => chips(many)).toHaveLength(1);
    await many.page.getByText('Of 100,000 texts, the 0 with the largest errors are stored').waitFor();
  });

  it('shows numbers that are all the same, and one text', async () => {
    const w = await show(numberPredictions([{ value: 3, predicted: 3 }]));
    await rows(w).first().waitFor();
    expect(await cells(w, 'values')).toEqual([['3', '1', '0.000', '', '0.000']]);
    expect(await w.opened.complaints()).toEqual([]);
    expect(await w.opened.accessibility()).toEqual([]);
  });
});
