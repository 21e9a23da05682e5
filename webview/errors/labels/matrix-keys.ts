export interface Cell {
  row: number;
  column: number;
}

/** The target of a key in a square grid of cells; undefined for other keys. */
export function cellAfter(e: KeyboardEvent, { row, column }: Cell, size: number): Cell | undefined {
  const last = size - 1;
  const to: Record<string, Cell> = {
    ArrowLeft: { row, column: column - 1 },
    ArrowRight: { row, column: column + 1 },
    ArrowUp: { row: row - 1, column },
    ArrowDown: { row: row + 1, column },
    Home: { row: e.ctrlKey ? 0 : row, column: 0 },
    End: { row: e.ctrlKey ? last : row, column: last },
    PageUp: { row: 0, column },
    PageDown: { row: last, column },
  };
  if (!Object.hasOwn(to, e.key)) return undefined;
  const within = (n: number) => Math.max(0, Math.min(last, n));
  return { row: within(to[e.key].row), column: within(to[e.key].column) };
}
