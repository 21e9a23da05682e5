import type { RunData } from './run-data';
import type { Point } from './point-menu';

/** The action of a key on the loss curve. */
type CurveKey =
  | { kind: 'point'; point: Point }
  /** Factor of the visible width; below 1 zooms in. */
  | { kind: 'zoom'; factor: number }
  | { kind: 'all' }
  | { kind: 'menu' }
  | { kind: 'clear' };

/** Share of the visible points that Page Up and Page Down skip. */
const PAGE = 0.1;

/** @param inView number of points that the chart currently shows */
export function curveKey(
  e: KeyboardEvent,
  point: Point,
  runs: readonly RunData[],
  inView: number,
): CurveKey | undefined {
  const page = Math.max(1, Math.round(inView * PAGE));
  const move: Record<string, number> = {
    ArrowLeft: e.shiftKey ? -10 : -1,
    ArrowRight: e.shiftKey ? 10 : 1,
    PageDown: -page,
    PageUp: page,
    Home: -Infinity,
    End: Infinity,
  };
  if (Object.hasOwn(move, e.key) && !e.ctrlKey && !e.altKey && !e.metaKey) {
    const index = Math.min(Math.max(point.index + move[e.key], 0), point.run.records - 1);
    return { kind: 'point', point: { run: point.run, index } };
  }
  switch (e.key) {
    case 'ArrowUp':
    case 'ArrowDown':
      return { kind: 'point', point: otherRun(point, runs, e.key === 'ArrowDown' ? 1 : -1) };
    case '+':
    case '=':
      return { kind: 'zoom', factor: 0.5 };
    case '-':
      return { kind: 'zoom', factor: 2 };
    case '0':
      return { kind: 'all' };
    case 'Enter':
    case 'ContextMenu':
      return { kind: 'menu' };
    case 'F10':
      return e.shiftKey ? { kind: 'menu' } : undefined;
    case 'Escape':
      return { kind: 'clear' };
    default:
      return undefined;
  }
}

function otherRun(point: Point, runs: readonly RunData[], by: number): Point {
  const at = runs.indexOf(point.run);
  const run = runs[(at + by + runs.length) % runs.length] ?? point.run;
  return { run, index: Math.min(point.index, Math.max(0, run.records - 1)) };
}
