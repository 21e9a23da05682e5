import { isText, isTexts } from '../../base/guards';
import type { RunToPage } from '../../protocol/panels/run';
import { parseSaveChart, type SaveChart } from '../../protocol/panels/save-chart';
import { parseSavedChange, parseView, type SavedChange, type SavedView, type TableView } from './saved-views';
import type { Column, Row } from './table';

/** The subject of a Runs table: the workspace, an experiment (its file) or a sweep (its folder). */
export type RunsOpen = { all: true } | { experiment: string } | { sweep: string };

export type RunsFromHost =
  /** A new table without rows; `view` only once, before anything else. */
  | { type: 'table'; title: string; columns: Column[]; view?: TableView }
  /**
   * New and changed rows, and folders of rows to remove. `reading`: more will follow at once. `can`: the list that rows
   * refer to, all of it so far.
   */
  | { type: 'rows'; rows: Row[]; gone: string[]; reading: boolean; can: string[] }
  /** The curves of one checked run. */
  | { type: 'curves'; curves: RunToPage }
  | { type: 'saved'; rows: number }
  /** The workspace's saved views, all of them. */
  | { type: 'views'; views: SavedView[] };

export const TABLE_ACTIONS = ['compare', 'study', 'export', 'combine', 'delete'] as const;
export type TableAction = (typeof TABLE_ACTIONS)[number];

export type RunsFromPage =
  | { type: 'view'; view: TableView }
  | SavedChange
  /** The runs whose curves are drawn, and kept up to date. */
  | { type: 'overlay'; runs: string[] }
  /** Something of this run's curves was lost. */
  | { type: 'curves'; run: string }
  | { type: 'open'; run: string }
  | { type: 'action'; action: TableAction; runs: string[] }
  | { type: 'csv'; text: string; rows: number }
  | SaveChart;

/** A message from the page; undefined if it is of an unknown kind or incomplete. */
export function parseRunsMessage(value: unknown): RunsFromPage | undefined {
  const { type, view, run, runs, action, text, rows } = (value ?? {}) as Record<string, unknown>;
  switch (type) {
    case 'view':
      return { type, view: parseView(view) };
    case 'saveView':
    case 'renameView':
    case 'deleteView':
      return parseSavedChange(value as Record<string, unknown>);
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

/** Parses the subject of a panel that a reload restores. The host checks that paths are absolute. */
export function parseRunsOpen(value: unknown): RunsOpen | undefined {
  const { all, experiment, sweep } = (value ?? {}) as Record<string, unknown>;
  if (all === true) return { all };
  if (isText(experiment)) return { experiment };
  return isText(sweep) ? { sweep } : undefined;
}
