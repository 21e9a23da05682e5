import { escapeControls } from '../../base/escape';
import { isText, isTexts } from '../../base/guards';
import { MOST_GROUPED } from './group';
import { NEWEST, type SortKey } from './table';

/** The user's view of a table; kept for the workspace. Omitted parts are as in a new table. */
export interface TableView {
  /** Keys, in order. */
  columns?: string[];
  sort?: SortKey;
  filter?: string;
  /** The columns to group by, one or two. */
  group?: string[];
  /** Folders of the rows at the top. */
  pinned?: string[];
  /** The widths of the columns that the user has resized, by key; CSS pixels. */
  widths?: Record<string, number>;
  /** The saved view that was chosen last; this view may have changed since. */
  saved?: string;
}

/** A stored or sent view, as far as it is valid. */
export function parseView(value: unknown): TableView {
  const { columns, sort, filter, group, pinned, widths, saved } = (value ?? {}) as Record<string, unknown>;
  const { key, descending } = (sort ?? {}) as Record<string, unknown>;
  return {
    ...(isTexts(columns) && columns.length > 0 && { columns }),
    ...(isText(key) && typeof descending === 'boolean' && { sort: { key, descending } }),
    ...(isText(filter) && { filter }),
    ...(isTexts(group) && group.length > 0 && group.length <= MOST_GROUPED && { group }),
    ...(isTexts(pinned) && pinned.length > 0 && { pinned }),
    ...parseWidths(widths),
    saved: viewName(saved),
  };
}

/** Columns may be this narrow and this wide; CSS pixels. */
export const [NARROWEST, WIDEST] = [40, 1200];

function parseWidths(value: unknown): Pick<TableView, 'widths'> {
  const valid = Object.entries((value ?? {}) as Record<string, unknown>).filter(
    (entry): entry is [string, number] =>
      typeof entry[1] === 'number' && entry[1] >= NARROWEST && entry[1] <= WIDEST,
  );
  return valid.length > 0 ? { widths: Object.fromEntries(valid) } : {};
}

/** In UTF-16 units. */
export const LONGEST_NAME = 80;

/** A name without spaces around it; undefined if it is empty, too long, or reads as something else than it is. */
export function viewName(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const name = value.trim();
  return name !== '' && name.length <= LONGEST_NAME && escapeControls(name) === name ? name : undefined;
}

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
