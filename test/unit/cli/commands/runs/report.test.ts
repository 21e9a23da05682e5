import { expect, it } from 'vitest';
import { rowsText } from '../../../../../src/cli/commands/runs-report';
import type { Column } from '../../../../../src/study/runs-table/table';

it('leaves out the folders that all paths of a column are in', () => {
  const columns: Column[] = ['train', 'note'].map((key) => ({
    ...{ key, title: key, type: 'text', kind: 'setting', shown: true },
  }));
  const row = (...cells: string[]) => ({ folder: '/runs/a', cells });
  const rows = [
    row('/home/me/data/a/train.csv', '/is a path'),
    row('/home/me/data/b.csv', 'and this is not'),
  ];
  expect(rowsText(columns, ['train', 'note'], rows, 2, 80)).toBe(
    'train        note\na/train.csv  /is a path\nb.csv        and this is not\n\n2 runs\n',
  );
});
