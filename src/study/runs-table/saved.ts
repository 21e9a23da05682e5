import { NEWEST } from './sort';
import { parseView, viewName, type TableView } from './view';

/** The parts that a saved view keeps. Pins and widths belong to one table and one window. */
const KEPT = ['columns', 'sort', 'filter', 'group'] as const;
export type KeptView = Pick<TableView, (typeof KEPT)[number]>;

/** A view of the runs table that the user has named; names are unique. */
export interface SavedView {
  name: string;
  view: KeptView;
}

/** A change of the workspace's saved views, as the page asks for it. */
export type SavedChange =
  /** A new view, or other content for one of this name. */
  | { type: 'saveView'; name: string; view: KeptView }
  | { type: 'renameView'; name: string; to: string }
  | { type: 'deleteView'; name: string };

/** The part of a view that is saved. */
export const keptOf = (view: TableView): KeptView =>
  Object.fromEntries(KEPT.flatMap((key) => (view[key] === undefined ? [] : [[key, view[key]]])));

/** True if two views show the same. */
export const isSameView = (a: TableView, b: TableView): boolean => contentOf(a) === contentOf(b);

const contentOf = ({ columns, sort = NEWEST, filter = '', group = [] }: TableView): string =>
  JSON.stringify([columns, [sort.key, sort.descending], filter, group]);

/** The stored views, without those that are damaged. */
export function parseSaved(value: unknown): SavedView[] {
  const found = new Map<string, SavedView>();
  for (const entry of Array.isArray(value) ? (value as unknown[]) : []) {
    const { name: stored, view } = (entry ?? {}) as Record<string, unknown>;
    const name = viewName(stored);
    if (name === undefined || typeof view !== 'object' || view === null || found.has(name)) continue;
    found.set(name, { name, view: keptOf(parseView(view)) });
  }
  return [...found.values()];
}

/** The change that a page's message asks for; undefined if it is none, or incomplete. */
export function parseSavedChange(message: Record<string, unknown>): SavedChange | undefined {
  const { type, view } = message;
  const name = viewName(message.name);
  if (name === undefined) return undefined;
  switch (type) {
    case 'saveView':
      return typeof view === 'object' && view !== null
        ? { type, name, view: keptOf(parseView(view)) }
        : undefined;
    case 'renameView': {
      const to = viewName(message.to);
      return to === undefined ? undefined : { type, name, to };
    }
    case 'deleteView':
      return { type, name };
    default:
      return undefined;
  }
}

/** The views after a change, by name. A view is not renamed to the name of another. */
export function changeSaved(views: readonly SavedView[], change: SavedChange): SavedView[] {
  const { name } = change;
  const others = views.filter((v) => v.name !== name);
  const old = views.find((v) => v.name === name);
  switch (change.type) {
    case 'saveView':
      return sorted([...others, { name, view: change.view }]);
    case 'renameView':
      return old && !others.some((v) => v.name === change.to)
        ? sorted([...others, { ...old, name: change.to }])
        : [...views];
    case 'deleteView':
      return others;
  }
}

const collator = new Intl.Collator('en', { numeric: true });
const sorted = (views: SavedView[]): SavedView[] => views.sort((a, b) => collator.compare(a.name, b.name));
