import { isText, isTexts } from '../../base/guards';
import { escapeControls } from '../../base/controls';
import { MOST_GROUPED } from './group';
import type { SortKey } from './sort';

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
