import { escapeControls } from '../base/controls';

/** Rows as lines with aligned columns. A column of only numbers or percentages is right-aligned. */
export function table(texts: readonly (readonly string[])[], separator = '  '): string[] {
  const rows = texts.map((row) => row.map((cell) => escapeControls(cell)));
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  const numeric = widths.map((_, i) => rows.every((r) => /^[\d.,%×e+<>-]*$/.test(r[i] ?? '')));
  return rows.map((row) =>
    row
      .map((cell, i) => (numeric[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join(separator)
      .trimEnd(),
  );
}
