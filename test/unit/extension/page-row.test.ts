import { expect, it } from 'vitest';
import { withPageSelection } from '../../../src/extension/runs/page-row';
import { NO_MENU, rowMenu, selectionMenu } from '../../../webview/ui/row-menu';

/** As VS Code passes them: the attributes of the row and of what is around it in one object, the row's first. */
const merged = (row: string, around: string): unknown => ({
  ...(JSON.parse(around) as object),
  ...(JSON.parse(row) as object),
});

it('a command of a page’s menu gets the selected rows if it was opened on one of them', () => {
  const around = selectionMenu(['/a', '/b'], rowMenu('/a', 'run canOpen', true));
  const [row, selected] = withPageSelection([merged(rowMenu('/b', 'run', true), around)]);
  expect(row).toMatchObject({ kind: 'run', folder: '/b', auroraCan: 'run' });
  expect(selected).toEqual([
    { kind: 'run', folder: '/a' },
    { kind: 'run', folder: '/b' },
  ]);
  // On another row, that one alone; beside the rows or on one without a run, nothing.
  expect(
    withPageSelection([merged(rowMenu('/c', 'run', false), selectionMenu(['/a', '/b'], NO_MENU))]),
  ).toHaveLength(1);
  expect(merged(NO_MENU, selectionMenu(['/a', '/b'], NO_MENU))).toMatchObject({ webviewSection: 'none' });
  // The arguments of other callers stay as they are.
  const others = [['/a'], undefined, { kind: 'run', folder: '/a' }, [{ kind: 'run', folder: '/b' }]];
  for (const args of [others, [], [undefined], ['/a', 3]]) expect(withPageSelection(args)).toEqual(args);
});
