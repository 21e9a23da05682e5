import { describe, expect, it } from 'vitest';
import { parseRunsMessage } from '../../../../src/study/runs-table/runs-messages';
import {
  parseView,
  changeSaved,
  isSameView,
  parseSaved,
  type SavedView,
} from '../../../../src/study/runs-table/saved-views';

const best: SavedView = {
  name: 'best',
  view: {
    filter: 'accuracy > 0.9',
    columns: ['name', 'accuracy'],
    sort: { key: 'accuracy', descending: true },
    group: ['adapter.rank', 'training.seed'],
  },
};
const seeds: SavedView = { name: 'seeds', view: { group: ['training.seed'] } };

describe('saved views of the runs table', () => {
  it('are stored and read as they are, through JSON', () => {
    expect(parseSaved(JSON.parse(JSON.stringify([best, seeds])))).toEqual([best, seeds]);
  });

  it('are read without the damaged ones', () => {
    for (const damaged of [undefined, null, 7, 'best', {}, { best }]) expect(parseSaved(damaged)).toEqual([]);
    const unnamed = [undefined, null, 1, '', '  ', 'a\nb', 'a\u202eb', 'x'.repeat(81)];
    const entries = [
      null,
      7,
      'x',
      ...unnamed.map((name) => ({ ...best, name })),
      { name: 'no view' },
      { name: 'a text', view: 'rank' },
      seeds,
      { ...best, name: 'seeds' },
      { name: 'half', view: { filter: 3, columns: 'name', sort: { key: 'loss' }, group: ['a', 'b', 'c'] } },
      { name: '__proto__', view: { filter: 'star' } },
    ];
    expect(parseSaved(entries)).toEqual([
      seeds,
      { name: 'half', view: {} },
      { name: '__proto__', view: { filter: 'star' } },
    ]);
  });

  it('are added, replaced, renamed and deleted by name, in the order of their names', () => {
    const ten = { ...seeds, name: 'run 10' };
    const two = { ...seeds, name: 'run 2' };
    let views = [ten, two, best].reduce<SavedView[]>(
      (list, view) => changeSaved(list, { type: 'saveView', ...view }),
      [],
    );
    expect(views.map((v) => v.name)).toEqual(['best', 'run 2', 'run 10']);
    views = changeSaved(views, { type: 'saveView', name: 'best', view: { filter: 'star' } });
    expect(views[0]).toEqual({ name: 'best', view: { filter: 'star' } });
    views = changeSaved(views, { type: 'renameView', name: 'best', to: 'starred' });
    expect(views.map((v) => v.name)).toEqual(['run 2', 'run 10', 'starred']);
    // Another window may have deleted it, or taken the name.
    expect(changeSaved(views, { type: 'renameView', name: 'best', to: 'good' })).toEqual(views);
    expect(changeSaved(views, { type: 'renameView', name: 'starred', to: 'run 2' })).toEqual(views);
    expect(changeSaved(views, { type: 'deleteView', name: 'run 2' }).map((v) => v.name)).toEqual([
      'run 10',
      'starred',
    ]);
    expect(changeSaved(views, { type: 'deleteView', name: 'missing' })).toEqual(views);
  });

  it('keep filter, columns, sort and grouping of a page’s message, and nothing else', () => {
    const sent = { ...best.view, pinned: ['/run'], widths: { name: 90 }, saved: 'seeds', other: 1 };
    expect(parseRunsMessage({ type: 'saveView', name: ' best ', view: sent })).toEqual({
      type: 'saveView',
      ...best,
    });
    expect(parseRunsMessage({ type: 'renameView', name: 'best', to: ' good' })).toEqual({
      type: 'renameView',
      name: 'best',
      to: 'good',
    });
    expect(parseRunsMessage({ type: 'deleteView', name: 'best' })).toEqual({
      type: 'deleteView',
      name: 'best',
    });
    for (const incomplete of [
      { type: 'saveView', name: 'best' },
      { type: 'saveView', name: '', view: {} },
      { type: 'saveView', view: {} },
      { type: 'renameView', name: 'best' },
      { type: 'renameView', name: 'best', to: 'a\u0007' },
      { type: 'deleteView' },
    ])
      expect(parseRunsMessage(incomplete)).toBeUndefined();
  });

  it('differ from a view by what they keep', () => {
    expect(isSameView({ pinned: ['/run'], widths: { name: 90 } }, {})).toBe(true);
    expect(isSameView({}, { sort: { descending: true, key: 'started' } })).toBe(true);
    expect(isSameView({ ...best.view, filter: undefined }, best.view)).toBe(false);
    expect(isSameView({ ...best.view, group: ['adapter.rank'] }, best.view)).toBe(false);
    expect(parseView({ saved: 'best' })).toEqual({ saved: 'best' });
    expect(parseView({ saved: 7 })).toEqual({});
  });
});
