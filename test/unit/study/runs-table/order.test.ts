import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowsCsv } from '../../../../src/study/runs-table/runs-csv';
import { groupRows } from '../../../../src/study/runs-table/group';
import { compareValues, sortRows, valueAt, type Row } from '../../../../src/study/runs-table/table';
import { COLUMNS, someRows } from './rows';

const keys = fc.constantFrom(...COLUMNS.map((c) => c.key));
const at = (key: string) => COLUMNS.findIndex((c) => c.key === key);
const valueOf = (row: Row, key: string) => valueAt(COLUMNS, row, at(key));

describe('sorting', () => {
  it('keeps every row once, in the order of the values, equal ones as before, missing ones last', () => {
    fc.assert(
      fc.property(someRows, keys, fc.boolean(), (rows, key, descending) => {
        const sorted = sortRows(COLUMNS, rows, [{ key, descending }]);
        expect([...sorted].sort((a, b) => rows.indexOf(a) - rows.indexOf(b))).toEqual(rows);
        for (let i = 1; i < sorted.length; i++) {
          const [a, b] = [valueOf(sorted[i - 1], key), valueOf(sorted[i], key)];
          if (a === null) expect(b).toBe(null);
          const order = compareValues(a, b, descending);
          expect(order).toBeLessThanOrEqual(0);
          if (order === 0) expect(rows.indexOf(sorted[i - 1])).toBeLessThan(rows.indexOf(sorted[i]));
        }
      }),
    );
  });

  it('sorts equal ones by the next key, as sorting by that key first', () => {
    fc.assert(
      fc.property(someRows, keys, keys, (rows, first, second) => {
        const [a, b] = [
          { key: first, descending: false },
          { key: second, descending: true },
        ];
        expect(sortRows(COLUMNS, rows, [a, b])).toEqual(sortRows(COLUMNS, sortRows(COLUMNS, rows, [b]), [a]));
      }),
    );
  });

  it('orders numbers in texts by value', () => expect(compareValues('run 2', 'Run 10')).toBeLessThan(0));
});

describe('grouping', () => {
  it('puts every row into one group, with the count, mean and sample standard deviation of its numbers', () => {
    fc.assert(
      fc.property(someRows, keys, (rows, key) => {
        const groups = groupRows(COLUMNS, rows, [key]);
        expect(groups.flatMap((g) => g.rows).sort((a, b) => rows.indexOf(a) - rows.indexOf(b))).toEqual(rows);
        for (const group of groups) {
          for (const row of group.rows) expect(valueOf(row, key)).toEqual(group.values[0]);
          const values = group.rows.map((r) => valueOf(r, 'accuracy')).filter((v) => v !== null) as number[];
          const summary = group.summaries.get('accuracy');
          expect(summary?.n ?? 0).toBe(values.length);
          if (!summary) continue;
          const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
          expect(summary.mean).toBeCloseTo(mean, 12);
          const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
          if (values.length > 1)
            expect(summary.deviation).toBeCloseTo(Math.sqrt(squares / (values.length - 1)), 12);
          else expect(summary.deviation).toBe(undefined);
        }
      }),
    );
  });

  it('orders groups by value, or by the mean of the column that is sorted by', () => {
    const row = (rank: number | null, accuracy: number | null): Row => ({
      folder: '',
      cells: COLUMNS.map((c) => (c.key === 'adapter.rank' ? rank : c.key === 'accuracy' ? accuracy : null)),
    });
    const rows = [row(8, 0.5), row(null, 0.9), row(2, 0.6), row(4, null), row(8, 0.9)];
    const order = (...sort: Parameters<typeof groupRows>[3][]) =>
      groupRows(COLUMNS, rows, ['adapter.rank'], sort[0]).map((g) => g.values[0]);
    expect(order()).toEqual([2, 4, 8, null]);
    expect(order({ key: 'adapter.rank', descending: true })).toEqual([8, 4, 2, null]);
    expect(order({ key: 'accuracy', descending: true })).toEqual([null, 8, 2, 4]);
  });

  it('groups by two columns, in the order of either', () => {
    const row = (rank: number, state: string, accuracy: number): Row => ({
      folder: '',
      cells: COLUMNS.map((c) => ({ 'adapter.rank': rank, state, accuracy })[c.key] ?? null),
    });
    const rows = [row(8, 'b', 0.4), row(2, 'b', 0.6), row(8, 'a', 0.8), row(8, 'b', 0.6)];
    const order = (...sort: Parameters<typeof groupRows>[3][]) =>
      groupRows(COLUMNS, rows, ['adapter.rank', 'state'], sort[0]).map((g) => g.values);
    expect(order()).toEqual([
      [2, 'b'],
      [8, 'a'],
      [8, 'b'],
    ]);
    expect(order({ key: 'state', descending: true })).toEqual([
      [2, 'b'],
      [8, 'b'],
      [8, 'a'],
    ]);
    expect(order({ key: 'accuracy', descending: true })[0]).toEqual([8, 'a']);
    const [, , both] = groupRows(COLUMNS, rows, ['adapter.rank', 'state']);
    expect(both.summaries.get('accuracy')).toMatchObject({ n: 2, mean: 0.5 });
  });
});

it('CSV has all digits under the keys of its columns', () => {
  const started = Date.UTC(2026, 0, 2, 3, 4, 5);
  const cells = ['a "b", c', 'finished', true, ['x', 'y'], 0.1 + 0.2, null, 2, started, 1.5];
  expect(
    rowsCsv(
      COLUMNS,
      ['name', 'tags', 'accuracy', 'loss', 'started', 'training.seed'],
      [{ folder: '/r', cells }],
    ),
  ).toBe(
    'name,tags,accuracy,loss,started,training.seed,folder\r\n"a ""b"", c",x; y,0.30000000000000004,,2026-01-02T03:04:05.000Z,7,/r\r\n',
  );
});
