import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { AuroraError } from '../../base/errors';
import { escapeControls } from '../../base/escape';
import { cutMiddle } from '../../base/text';
import type { Loss } from '../../runs/ended/unexpected';
import { cellText, columnTitle, meanText } from '../../study/runs-table/runs-columns';
import type { RowGroup } from '../../study/runs-table/group';
import {
  type Column,
  columnAt,
  isNumeric,
  type Row,
  type Value,
  valueAt,
} from '../../study/runs-table/table';

/** A longer cell is cut, so that one note does not push everything else out of the terminal. */
const WIDEST = 36;

/** The rows under the columns `shown`, as far as they fit into `width` characters. */
export function rowsText(
  columns: readonly Column[],
  shown: readonly string[],
  rows: readonly Row[],
  all: number,
  width: number,
): string {
  const parts = shown.map((key) => {
    const at = columnAt(columns, key);
    const column = columns[at];
    return {
      key,
      title: columnTitle(column),
      right: isNumeric(column),
      cells: withoutFolder(rows.map((row) => cellText(column, valueAt(columns, row, at)))),
    };
  });
  const count = rows.length === all ? `${all} runs` : `${rows.length} of ${all} runs`;
  return `${aligned(parts, width)}\n${count}\n`;
}

/** Paths without the folders that all of them are in. */
function withoutFolder(cells: readonly string[]): readonly string[] {
  const paths = cells.filter((cell) => cell !== '');
  if (paths.length === 0 || !paths.every((cell) => isAbsolute(cell))) return cells;
  let folder = dirname(paths[0]);
  while (!paths.every((path) => path.startsWith(join(folder, sep))) && folder !== dirname(folder))
    folder = dirname(folder);
  return cells.map((cell) => (cell === '' ? '' : relative(folder, cell)));
}

export function groupsText(
  columns: readonly Column[],
  shown: readonly string[],
  by: readonly string[],
  groups: readonly RowGroup[],
  width: number,
): string {
  const parts = [
    ...by.map((key, i) => {
      const column = columns[columnAt(columns, key)];
      const cells = groups.map((g) => groupName(column, g.values[i]));
      return { key, title: columnTitle(column), right: isNumeric(column), cells };
    }),
    { key: 'runs', title: 'Runs', right: true, cells: groups.map((g) => String(g.rows.length)) },
    ...shown.flatMap((key) => {
      const column = columns[columnAt(columns, key)];
      if (by.includes(key) || !isNumeric(column)) return [];
      const cells = groups.map((g) => summaryText(column, g));
      return [{ key, title: columnTitle(column), right: true, cells }];
    }),
  ];
  return `${aligned(parts, width)}\nMean ± sample standard deviation (n − 1) of the runs that have a value.\n`;
}

const groupName = (column: Column, value: Value): string => cellText(column, value) || 'none';

/** "81.0% ± 1.2%"; with the number of runs if some have no value. */
function summaryText(column: Column, { rows, summaries }: RowGroup): string {
  const summary = summaries.get(column.key);
  if (!summary) return '';
  const text = (value: number) => meanText(column, value);
  const spread = summary.deviation === undefined ? '' : ` ± ${text(summary.deviation)}`;
  return `${text(summary.mean)}${spread}${summary.n < rows.length ? ` (${summary.n})` : ''}`;
}

interface Part {
  key: string;
  title: string;
  right: boolean;
  cells: readonly string[];
}

/** Columns from the left as far as they fit, at least one; names the rest. */
function aligned(parts: readonly Part[], width: number): string {
  const texts = parts.map(({ title, cells }) => [title, ...cells].map((text) => cut(escapeControls(text))));
  const widths = texts.map((column) => Math.max(...column.map((text) => text.length)));
  let used = widths[0] ?? 0;
  let fits = 1;
  while (fits < parts.length && used + 2 + widths[fits] <= width) used += 2 + widths[fits++];
  const lines = Array.from({ length: texts[0]?.length ?? 0 }, (_, line) =>
    texts
      .slice(0, fits)
      .map((column, i) =>
        parts[i].right ? column[line].padStart(widths[i]) : column[line].padEnd(widths[i]),
      )
      .join('  ')
      .trimEnd(),
  );
  const rest = parts.slice(fits).map(({ key }) => key);
  return `${[...lines, ...(rest.length > 0 ? ['', `Left out, to fit: ${rest.join(', ')}. Choose with --columns.`] : [])].join('\n')}\n`;
}

const cut = (text: string): string => cutMiddle(text, WIDEST);

/** Values by column; times in ms since 1970, durations in seconds. */
export function jsonOf(table: {
  columns: readonly Column[];
  shown: readonly string[];
  rows: readonly Row[];
  by: readonly string[];
  groups: readonly RowGroup[] | undefined;
  unreadable: readonly { folder: string; error: AuroraError }[];
  lost: readonly (Loss & { folder: string })[];
}): object {
  const { columns, shown, rows, by, groups } = table;
  const chosen = shown.map((key) => columnAt(columns, key));
  const rowJson = (row: Row) => ({
    folder: row.folder,
    ...Object.fromEntries(chosen.map((at) => [columns[at].key, valueAt(columns, row, at)])),
  });
  return {
    columns: chosen.map((at) => {
      const { key, title, type, kind } = columns[at];
      return { key, title, type, kind };
    }),
    ...(groups
      ? {
          groupedBy: by,
          groups: groups.map(({ values, rows: of, summaries }) => ({
            values,
            runs: of.length,
            folders: of.map(({ folder }) => folder),
            summaries: Object.fromEntries(
              [...summaries]
                .filter(([key]) => shown.includes(key) && !by.includes(key))
                .map(([key, { n, mean, deviation }]) => [key, { n, mean, deviation: deviation ?? null }]),
            ),
          })),
        }
      : { rows: rows.map(rowJson) }),
    unreadable: table.unreadable.map(({ folder, error }) => ({
      folder,
      message: error.message,
      hint: error.hint,
    })),
    lost: table.lost,
  };
}
