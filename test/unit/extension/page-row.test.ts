import { expect, it } from 'vitest';
import { withPageSelection } from '../../../src/extension/runs/nodes';
import { NO_MENU, rowMenu, selectionMenu, trialMenu } from '../../../webview/ui/row-menu';

/** As VS Code passes them: the attributes of the row and of what is around it in one object, the row's first. */
const merged = (row: string, around: string): unknown => ({
  ...(JSON.parse(around) as object),
  ...(JSON.parse(row) as object),
});

const folders = ['/a', '/b', '/c', '/d'];
/** Around the rows, after a click on a checked one. */
const around = selectionMenu(folders, rowMenu('/a', 'run canOpen', true));

it('a command of a page’s menu gets the selected rows if it was opened on one of them', () => {
  const [row, selected] = withPageSelection([merged(rowMenu('/b', 'run', true), around)]);
  expect(row).toMatchObject({ kind: 'run', folder: '/b', auroraCan: 'run' });
  expect(selected).toEqual(folders.map((folder) => ({ kind: 'run', folder })));
  // The arguments of other callers stay as they are.
  const others = [['/a'], undefined, { kind: 'run', folder: '/a' }, [{ kind: 'run', folder: '/b' }]];
  for (const args of [others, [], [undefined], ['/a', 3]]) expect(withPageSelection(args)).toEqual(args);
});

it('a command of a page’s menu gets the row that was clicked alone if it is not selected', () => {
  for (const active of [rowMenu('/a', 'run', true), rowMenu('/e', 'run', false), NO_MENU]) {
    const menu = merged(rowMenu('/e', 'run', false), selectionMenu(folders, active));
    expect(menu).toMatchObject({ folder: '/e', auroraSeveral: false });
    expect(withPageSelection([menu])).toEqual([menu]);
  }
  // A page may be wrong about that, or say nothing.
  const wrong = merged(rowMenu('/e', 'run', true), around);
  expect(withPageSelection([wrong])).toEqual([wrong]);
  const silent = { ...(JSON.parse(around) as object), folder: '/e' };
  expect(withPageSelection([silent])).toEqual([silent]);
});

it('a row without a run, beside selected ones, has no menu of theirs', () => {
  expect(merged(NO_MENU, around)).toMatchObject({ webviewSection: 'none', auroraSeveral: false });
  const trial = merged(trialMenu('/sweep', 't1', 'trial'), around);
  expect(withPageSelection([trial])).toEqual([trial]);
});
