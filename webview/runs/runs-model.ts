import { parseFilter, type RowTest } from '../../src/study/runs-table/filter';
import type { FilterProblem } from '../../src/study/runs-table/filter-terms';
import { groupRows, type RowGroup } from '../../src/study/runs-table/group';
import {
  NEWEST,
  sortRows,
  type SortKey,
  columnAt,
  type Column,
  type Row,
} from '../../src/study/runs-table/table';
import type { TableView } from '../../src/study/runs-table/saved-views';
import type { RunToPage } from '../../src/protocol/panels/run';
import { RunData } from '../run/run-data';

/** A line of the table. */
export type Line =
  | { kind: 'row'; row: Row }
  /** `pinned`: the number of its rows that are above. */
  | { kind: 'group'; id: string; group: RowGroup; open: boolean; pinned: number };

/** The rows that the host sent, and the lines that the view makes of them. */
export class TableModel {
  columns: readonly Column[] = [];
  rows = new Map<string, Row>();
  /** Another table that is being sent; the old one stays until it is whole, so that the page does not jump. */
  private next: { columns: readonly Column[]; rows: Map<string, Row> } | undefined;
  /** The groups that the user has closed, by value. */
  readonly closed = new Set<string>();
  /** The commands for runs; rows refer to them. */
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

  /** @param reading true if more will follow */
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
    const found = parseFilter(view.filter ?? '', this.columns);
    this.problem = 'problem' in found ? found.problem : undefined;
    if ('test' in found) this.test = found.test;
    const pins = view.pinned ?? [];
    this.pinned = pins.flatMap((folder) => this.rows.get(folder) ?? []);
    const sort = view.sort ?? NEWEST;
    this.matching = sortRows(this.columns, [...this.rows.values()].filter(this.test), [sort]);
    const isPinned = new Set(pins);
    const by = this.groupedBy(view);
    this.lines =
      by.length > 0
        ? this.grouped(
            by.map(({ key }) => key),
            sort,
            isPinned,
          )
        : this.matching.filter(({ folder }) => !isPinned.has(folder)).map((row) => ({ kind: 'row', row }));
  }

  /** The columns to group by, as far as this table has them. */
  groupedBy({ group = [] }: TableView): Column[] {
    return group.flatMap((key) => this.columns[columnAt(this.columns, key)] ?? []);
  }

  /** A pinned row is above, and still one of its group: pinning changes no mean. */
  private grouped(keys: readonly string[], sort: SortKey, isPinned: ReadonlySet<string>): Line[] {
    return groupRows(this.columns, this.matching, keys, sort).flatMap((group): Line[] => {
      const id = JSON.stringify(group.values);
      const open = !this.closed.has(id);
      const below = group.rows.filter(({ folder }) => !isPinned.has(folder));
      const header: Line = { kind: 'group', id, group, open, pinned: group.rows.length - below.length };
      return open ? [header, ...below.map((row): Line => ({ kind: 'row', row }))] : [header];
    });
  }
}

/** More curves in one chart cannot be told apart: five dashes in six colors. */
export const MOST_CURVES = 30;

/** The checked runs, in the order in which they were checked, and their curves. */
export class Overlay {
  /** Folders. */
  private order: string[] = [];
  private readonly data = new Map<string, RunData>();
  version = 0;

  get folders(): readonly string[] {
    return this.order;
  }

  /** Runs with curves. */
  get drawn(): RunData[] {
    return [...this.data.values()];
  }

  /** The color of each checked run that is drawn. Others are checked, too, but have no number below `MOST_CURVES`. */
  get colors(): ReadonlyMap<string, number> {
    return new Map(this.order.map((folder) => [folder, this.data.get(folder)?.index ?? MOST_CURVES]));
  }

  set(folders: readonly string[]): void {
    this.order = [...new Set(folders)];
    const drawn = this.order.slice(0, MOST_CURVES);
    for (const folder of this.data.keys()) if (!drawn.includes(folder)) this.data.delete(folder);
    // Others keep their colors.
    for (const folder of drawn)
      if (!this.data.has(folder)) this.data.set(folder, new RunData(folder, this.freeColor()));
    this.version++;
  }

  private freeColor(): number {
    const taken = new Set([...this.data.values()].map((run) => run.index));
    for (let color = 0; ; color++) if (!taken.has(color)) return color;
  }

  /** Returns the runs of which something was lost. */
  take({ updates }: Extract<RunToPage, { type: 'snapshot' | 'append' }>): string[] {
    this.version++;
    return updates.flatMap((update) =>
      this.data.get(update.run)?.apply(update) === false ? [update.run] : [],
    );
  }
}
