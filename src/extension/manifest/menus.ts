import { FILES, type Command, type Menu, type Row } from './declared';

/** An entry of a menu, with the menu's name. */
type Entry = [menu: string, entry: { command: string; when?: string; group?: string }];

/** The places where the palette and the menus offer a command. */
export function menuEntries(command: string, { palette, menus = [] }: Command): Entry[] {
  const entries: Entry[] = [];
  if (palette !== undefined) entries.push(['commandPalette', { command, when: palette || 'false' }]);
  for (const menu of menus)
    for (const [name, ...when] of clauses(menu))
      entries.push([name, { command, when: when.filter(Boolean).join(' && '), group: menu.group }]);
  return entries;
}

/** The menus that an item is in, each with its conditions. */
function clauses(menu: Menu): [menu: string, ...when: (string | undefined)[]][] {
  switch (menu.at) {
    case 'run':
      return [inTree(menu, menu.group), onPage(menu)];
    case 'row':
      return [inTree(menu, menu.group)];
    case 'model':
      return [['view/item/context', 'view == aurora.models', `viewItem ${oneOf(menu.row ?? 'model')}`]];
    case 'title':
      return [['view/title', inView(menu.view), menu.when]];
    case 'explorer':
      return [['explorer/context', FILES[menu.of]]];
    case 'editor':
      return [['editor/title', 'editorLangId == aurora-experiment']];
  }
}

const inTree = (row: Row, group: string): ReturnType<typeof clauses>[number] => [
  'view/item/context',
  inView(row.everyView ? 'all' : 'experiments'),
  ofRow(row),
  // A button belongs to its row, whatever is selected.
  row.several || group.startsWith('inline') ? undefined : '!listMultiSelection',
];

const onPage = ({ can, several }: Row): ReturnType<typeof clauses>[number] => [
  'webview/context',
  'webviewSection == auroraRun',
  can && `auroraCan =~ /\\b${can}\\b/`,
  several ? undefined : '!auroraSeveral',
];

/** A row's context value is its kind, then its capabilities. VS Code ignores a clause with !~. */
function ofRow({ can, of, notOf }: Row): string | undefined {
  if (notOf) return `!(viewItem =~ /^${notOf}/)`;
  if (!of) return can && `viewItem =~ /\\b${can}\\b/`;
  const kind = of.includes('|') ? `^(${of})` : `^${of}`;
  return `viewItem =~ /${kind}${can ? ` .*\\b${can}\\b` : '\\b'}/`;
}

const inView = (view: string): string =>
  view === 'all'
    ? 'view =~ /^aurora\\./'
    : view.includes('|')
      ? `view =~ /^aurora\\.(${view})$/`
      : `view == aurora.${view}`;

const oneOf = (words: string): string => (words.includes('|') ? `=~ /^(${words})$/` : `== ${words}`);
