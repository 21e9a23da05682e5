import { escapeControls } from '../base/escape';

/**
 * Rows as lines with aligned columns.
 *
 * @param isRight true for a column that is right-aligned; by default those of only numbers or percentages are
 */
export function table(
  texts: readonly (readonly string[])[],
  separator = '  ',
  isRight?: (column: number) => boolean,
): string[] {
  const rows = texts.map((row) => row.map((cell) => escapeControls(cell)));
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  const right = widths.map((_, i) => isRight?.(i) ?? rows.every((r) => /^[\d.,%×e+<>-]*$/.test(r[i] ?? '')));
  return rows.map((row) =>
    row
      .map((cell, i) => (right[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join(separator)
      .trimEnd(),
  );
}
