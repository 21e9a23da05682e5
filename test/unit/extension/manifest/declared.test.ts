import { describe, expect, it } from 'vitest';
import type { Command, Contributes, Menu } from '../../../../src/extension/manifest/declared';
import { menuEntries } from '../../../../src/extension/manifest/menus';
import { manifestOf } from '../../../../src/extension/manifest/sections';

const entries = (menu: Menu) => menuEntries('aurora.x', { title: 'X', menus: [menu] });
const whens = (menu: Menu) => entries(menu).map(([name, { when }]) => `${name}: ${when}`);

describe('a command in menus', () => {
  it('for runs is offered in the view and on pages, and hidden while several are selected', () =>
    expect(whens({ at: 'run', can: 'canStop', group: '1_run@1' })).toEqual([
      'view/item/context: view == aurora.experiments && viewItem =~ /\\bcanStop\\b/ && !listMultiSelection',
      'webview/context: webviewSection == auroraRun && auroraCan =~ /\\bcanStop\\b/ && !auroraSeveral',
    ]));

  it('that applies to all selected rows stays', () =>
    expect(whens({ at: 'run', can: 'canStar', several: true, group: '1_run@1' })).toEqual([
      'view/item/context: view == aurora.experiments && viewItem =~ /\\bcanStar\\b/',
      'webview/context: webviewSection == auroraRun && auroraCan =~ /\\bcanStar\\b/',
    ]));

  it('as a button stays, since it belongs to its row', () =>
    expect(whens({ at: 'row', can: 'canStop', everyView: true, group: 'inline@1' })).toEqual([
      'view/item/context: view =~ /^aurora\\./ && viewItem =~ /\\bcanStop\\b/',
    ]));

  it.each<[Menu, string]>([
    [{ at: 'row', of: 'run', can: 'canX', group: 'g' }, 'viewItem =~ /^run .*\\bcanX\\b/'],
    [
      { at: 'row', of: 'adapter|export', can: 'canX', group: 'g' },
      'viewItem =~ /^(adapter|export) .*\\bcanX\\b/',
    ],
    [{ at: 'row', of: 'adapter|export', group: 'g' }, 'viewItem =~ /^(adapter|export)\\b/'],
    [{ at: 'row', notOf: 'queued', group: 'g' }, '!(viewItem =~ /^queued/)'],
    [{ at: 'model', group: 'g' }, 'view == aurora.models && viewItem == model'],
    [{ at: 'model', row: 'model|step', group: 'g' }, 'viewItem =~ /^(model|step)$/'],
    [{ at: 'title', view: 'machine', when: 'a', group: 'g' }, 'view == aurora.machine && a'],
    [{ at: 'title', view: 'models|machine', group: 'g' }, 'view =~ /^aurora\\.(models|machine)$/'],
    [{ at: 'title', view: 'all', group: 'g' }, 'view =~ /^aurora\\./'],
    [{ at: 'explorer', of: 'onnx', group: 'g' }, 'resourceExtname == .onnx'],
  ])('%j has its condition', (menu, when) => expect(whens(menu)[0]).toContain(when));

  it.each<[Command['palette'], string[]]>([
    [undefined, []],
    ['aurora.hasRuns', ['aurora.hasRuns']],
    [false, ['false']],
  ])('palette: %j', (palette, expected) =>
    expect(menuEntries('aurora.x', { title: 'X', palette }).map(([, { when }]) => when)).toEqual(expected),
  );
});

describe('declarations together', () => {
  const extension = { displayName: 'A', description: 'B', trust: 'C' };
  const command = (name: string): Contributes => ({ commands: { [name]: { title: name } } });
  const commands = (...files: Contributes[]) =>
    (manifestOf([{ extension }, ...files]).sections.contributes.commands as { command: string }[]).map(
      (c) => c.command,
    );

  it('do not depend on the order of the files', () => {
    expect(commands(command('b'), command('a'))).toEqual(['aurora.a', 'aurora.b']);
    expect(commands(command('a'), command('b'))).toEqual(['aurora.a', 'aurora.b']);
  });

  it.each<[string, Contributes]>([
    ['command.a', command('a')],
    ['setting.s', { settings: { s: { type: 'boolean', default: false, description: 'S' } } }],
    ['languages', { sections: { languages: [] } }],
  ])('refuse a second declaration of %s', (name, file) =>
    expect(() => commands(file, file)).toThrow(`${name} is declared twice`),
  );
});
