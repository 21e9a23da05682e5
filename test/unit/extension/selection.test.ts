import { afterEach, expect, it } from 'vitest';
import { type TreeNode, FROM_SELECTION, rememberSelection, rowsFor } from '../../../src/extension/runs/nodes';

const run = (folder: string): TreeNode => ({ kind: 'run', folder });

afterEach(() => rememberSelection(() => []));

it('a command acts on the row it was called on, and on the selection only if that row is part of it', () => {
  const selected = [run('/a'), run('/b')];
  expect(rowsFor([run('/c'), selected])).toEqual([run('/c')]);
  expect(rowsFor([run('/b'), selected])).toEqual(selected);
  expect(rowsFor([{ kind: 'checkpoint', folder: '/a', step: 3 }, selected])).toHaveLength(1);
  expect(rowsFor([run('/c'), undefined])).toEqual([run('/c')]);
  expect(rowsFor([run('/c'), []])).toEqual([run('/c')]);
});

it('a key acts on the selected rows, and a list of folders on these', () => {
  rememberSelection(() => [run('/a')]);
  expect(rowsFor([FROM_SELECTION])).toEqual([run('/a')]);
  expect(rowsFor([['/x', '/y'], [run('/a')]])).toEqual(['/x', '/y']);
  expect(rowsFor(['/x', [run('/a')]])).toEqual(['/x']);
  expect(rowsFor([])).toEqual([]);
  expect(rowsFor([undefined, [run('/a')]])).toEqual([]);
});
