import { parseFilter, type RowTest } from '../../src/study/runs-table/filter/parse';
import type { FilterProblem } from '../../src/study/runs-table/filter/tokens';
import { groupRows, type RowGroup } from '../../src/study/runs-table/group';
import { sortRows, type SortKey } from '../../src/study/runs-table/sort';
import type { TableView } from '../../src/study/runs-table/panel';
import { columnAt, type Column, type Row } from '../../src/study/runs-table/table';
import { t } from '../ui/l10n';

/** A line of the table. */
export type Line = { kind: 'row'; row: Row } | { kind: 'group'; id: string; group: RowGroup; open: boolean };

export const NEWEST: SortKey = { key: 'started', descending: true };

/** The rows that the host sent, and the lines that the view makes of them. */
export class TableModel {
  columns: readonly Column[] = [];
  rows = new Map<string, Row>();
  /** Another table that is being sent; the old one stays until it is whole, so that the page does not jump. */
  private next: { columns: readonly Column[]; rows: Map<string, Row> } | undefined;
  /** The groups that the user has closed, by value. */
  readonly closed = new Set<string>();
  /** What can be done with runs; rows refer to it. */
  can: readonly string[] = [];
  problem: FilterProblem | undefined;
  /** Folders of the rows that match the filter, in order; without groups. */
  matching: readonly Row[] = [];
  pinned: readonly Row[] = [];
  lines: readonly Line[] = [];
  private test: RowTest = () => true;

  reset(columns: readonly Column[]): void {
    if (this.rows.size > 0) this.next = { columns, rows: new Map() };
    else this.columns = columns;
  }

  /** @param reading whether more will follow */
  take(rows: readonly Row[], gone: readonly string[], reading: boolean): void {
    const into = this.next?.rows ?? this.rows;
    for (const folder of gone) into.delete(folder);
    for (const row of rows) into.set(row.folder, row);
    if (!this.next || reading) return;
    ({ columns: this.columns, rows: this.rows } = this.next);
    this.next = undefined;
  }

  /** The chosen columns, as far as this table has them. */
  shown({ columns }: TableView): Column[] {
    if (!columns) return this.columns.filter((c) => c.shown);
    const chosen = columns.flatMap((key) => this.columns.find((c) => c.key === key) ?? []);
    return chosen.length > 0 ? chosen : this.columns.filter((c) => c.shown);
  }

  /** Computes everything again. While the filter has a mistake, the last one that had none applies. */
  arrange(view: TableView): void {
    const found = parseFilter(view.filter ?? '', this.columns, t);
    this.problem = 'problem' in found ? found.problem : undefined;
    if ('test' in found) this.test = found.test;
    const pins = view.pinned ?? [];
    this.pinned = pins.flatMap((folder) => this.rows.get(folder) ?? []);
    const sort = view.sort ?? NEWEST;
    this.matching = sortRows(this.columns, [...this.rows.values()].filter(this.test), [sort]);
    const isPinned = new Set(pins);
    const below = this.matching.filter(({ folder }) => !isPinned.has(folder));
    const grouped = view.group !== undefined && columnAt(this.columns, view.group) >= 0;
    this.lines = grouped
      ? this.grouped(below, view.group!, sort)
      : below.map((row) => ({ kind: 'row', row }));
  }

  private grouped(rows: readonly Row[], key: string, sort: SortKey): Line[] {
    return groupRows(this.columns, rows, key, sort).flatMap((group): Line[] => {
      const id = JSON.stringify(group.value);
      const open = !this.closed.has(id);
      const header: Line = { kind: 'group', id, group, open };
      return open ? [header, ...group.rows.map((row): Line => ({ kind: 'row', row }))] : [header];
    });
  }
}
