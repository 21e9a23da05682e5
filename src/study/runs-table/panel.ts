import type { RunToPage } from '../../protocol/panels/run';
import { parseSaveChart, type SaveChart } from '../../protocol/panels/save-chart';
import { MOST_GROUPED } from './group';
import type { SortKey } from './sort';
import type { Column, Row } from './table';

/** How the user looks at a table; kept for the workspace. What is left out is as in a new table. */
export interface TableView {
  /** Keys, in order. */
  columns?: string[];
  sort?: SortKey;
  filter?: string;
  /** The columns to group by, one or two. */
  group?: string[];
  /** Folders of the rows at the top. */
  pinned?: string[];
  /** Of the columns that the user has resized, by key; CSS pixels. */
  widths?: Record<string, number>;
}

export type RunsFromHost =
  /** A new table without rows; `view` only once, before anything else. */
  | { type: 'table'; title: string; columns: Column[]; view?: TableView }
  /**
   * New and changed rows, and folders of rows to remove. `reading`: more will follow at once. `can`: what rows refer to, all of it
   * so far.
   */
  | { type: 'rows'; rows: Row[]; gone: string[]; reading: boolean; can: string[] }
  /** The curves of one checked run. */
  | { type: 'curves'; curves: RunToPage }
  | { type: 'saved'; rows: number };

export const TABLE_ACTIONS = ['compare', 'study', 'export', 'delete'] as const;
export type TableAction = (typeof TABLE_ACTIONS)[number];

export type RunsFromPage =
  | { type: 'view'; view: TableView }
  /** Whose curves are drawn, and kept up to date. */
  | { type: 'overlay'; runs: string[] }
  /** Something of this run's curves was lost. */
  | { type: 'curves'; run: string }
  | { type: 'open'; run: string }
  | { type: 'action'; action: TableAction; runs: string[] }
  | { type: 'csv'; text: string; rows: number }
  | SaveChart;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

/** A stored or sent view, as far as it is valid. */
export function parseView(value: unknown): TableView {
  const { columns, sort, filter, group, pinned, widths } = (value ?? {}) as Record<string, unknown>;
  const { key, descending } = (sort ?? {}) as Record<string, unknown>;
  return {
    ...(isTexts(columns) && columns.length > 0 && { columns }),
    ...(isText(key) && typeof descending === 'boolean' && { sort: { key, descending } }),
    ...(isText(filter) && { filter }),
    ...(isTexts(group) && group.length > 0 && group.length <= MOST_GROUPED && { group }),
    ...(isTexts(pinned) && pinned.length > 0 && { pinned }),
    ...parseWidths(widths),
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

/** A message from the page; undefined if it is of an unknown kind or incomplete. */
export function parseRunsMessage(value: unknown): RunsFromPage | undefined {
  const { type, view, run, runs, action, text, rows } = (value ?? {}) as Record<string, unknown>;
  switch (type) {
    case 'view':
      return { type, view: parseView(view) };
    case 'overlay':
      return isTexts(runs) ? { type, runs } : undefined;
    case 'curves':
    case 'open':
      return isText(run) ? { type, run } : undefined;
    case 'action': {
      const known = TABLE_ACTIONS.find((a) => a === action);
      return known && isTexts(runs) && runs.length > 0 ? { type, action: known, runs } : undefined;
    }
    case 'csv':
      return typeof text === 'string' && typeof rows === 'number' ? { type, text, rows } : undefined;
    case 'saveChart':
      return parseSaveChart(value as Record<string, unknown>);
    default:
      return undefined;
  }
}
