import { cellText, columnTitle } from '../../src/study/runs-table/runs-columns';
import { columnAt, isNumeric, valueAt, type Column, type Row } from '../../src/study/runs-table/table';

/** A few hundred rows show how wide a column is; formatting ten thousand takes longer than a frame. */
const SAMPLE = 300;
const [NARROWEST, WIDEST] = [7, 30];
/** An average character, and the space around a cell; CSS pixels. */
const [CHARACTER, SPACE] = [7.5, 18];
/** Titles are bold. */
const BOLD = 1.2;
/** In characters: the sort arrow. */
const ARROW = 2;
const STATE_MARK = 3;
const PLUS_MINUS = 6;
const NARROWEST_MEAN = 14;

/** CSS pixels of each column: as wide as its texts, within limits. `grouped`: with a mean and a deviation of numbers. */
export function widthsOf(
  columns: readonly Column[],
  shown: readonly Column[],
  rows: readonly Row[],
  grouped: boolean,
): number[] {
  const step = Math.max(1, Math.floor(rows.length / SAMPLE));
  const sample = rows.filter((_, i) => i % step === 0);
  return shown.map((column) => {
    const at = columnAt(columns, column.key);
    const texts = sample.map((row) => cellText(column, valueAt(columns, row, at)).length);
    const text = Math.max(0, ...texts) + (column.key === 'state' ? STATE_MARK : 0);
    const longest = Math.max(
      columnTitle(column).length * BOLD + ARROW,
      grouped && isNumeric(column) ? Math.max(NARROWEST_MEAN, 2 * text + PLUS_MINUS) : text,
    );
    return Math.min(Math.max(longest, NARROWEST), WIDEST) * CHARACTER + SPACE;
  });
}
