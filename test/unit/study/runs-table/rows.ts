import * as fc from 'fast-check';
import type { Column, Row, Value } from '../../../../src/study/runs-table/table';

const column = (key: string, more: Partial<Column> = {}): Column => ({
  key,
  title: key.split('.').at(-1)!,
  type: 'text',
  kind: 'run',
  shown: true,
  ...more,
});

export const COLUMNS: readonly Column[] = [
  column('name'),
  column('state'),
  column('star', { type: 'boolean' }),
  column('tags', { type: 'list' }),
  column('accuracy', { type: 'number', kind: 'metric', metric: 'accuracy' }),
  column('loss', { type: 'number', kind: 'metric', metric: 'loss' }),
  column('adapter.rank', { type: 'number', kind: 'setting' }),
  column('started', { type: 'time' }),
  column('duration', { type: 'duration' }),
  column('training.seed', { type: 'number', kind: 'setting', same: 7 }),
];

/** Few different values, so that many are equal, and some are missing. */
const values: Record<Column['type'], fc.Arbitrary<Value>> = {
  text: fc.constantFrom('a', 'B', 'run 2', 'run 10', null),
  boolean: fc.constantFrom(true, false, null),
  list: fc.constantFrom(['good'], ['good', 'old'], null),
  number: fc.constantFrom(-1, 0, 0.5, 0.9, 2, 1e-5, null),
  duration: fc.constantFrom(0.5, 60, 7200, null),
  time: fc.constantFrom(new Date(2026, 0, 31, 12).getTime(), new Date(2026, 1, 1).getTime(), null),
};

export const someRows: fc.Arbitrary<Row[]> = fc
  .array(fc.tuple(...COLUMNS.filter((c) => c.same === undefined).map(({ type }) => values[type])), {
    maxLength: 40,
  })
  .map((all) => all.map((cells, i) => ({ folder: `/runs/${i}`, cells: cells as Value[] })));
