import { within } from './grid-keys';
import { cellText, columnTitle } from '../../src/study/runs-table/runs-columns';
import { columnAt, isNumeric, valueAt, type Column, type Row } from '../../src/study/runs-table/table';

/** Follows the pointer while it drags the edge of a column: only the style sheet changes until it is let go. */
export class ColumnSizer {
  private drag: { column: string; from: number; width: number; now: number } | undefined;

  constructor(
    private readonly on: {
      /** The width has changed. */
      drawn(): void;
      chosen(column: string, width: number): void;
    },
  ) {}

  /** The column that is being dragged. */
  widthOf(column: string): number | undefined {
    return this.drag?.column === column ? this.drag.now : undefined;
  }

  /** @param width before, in CSS pixels */
  start(e: PointerEvent, column: string, width: number): void {
    if (e.button !== 0) return;
    e.preventDefault();
    this.drag = { column, from: e.clientX, width, now: width };
    const stop = new AbortController();
    const { signal } = stop;
    const end = (keep: boolean) => {
      const { drag } = this;
      this.drag = undefined;
      stop.abort();
      if (drag && keep && drag.now !== drag.width) this.on.chosen(drag.column, drag.now);
      this.on.drawn();
    };
    // On the window: the column may disappear while its edge is dragged.
    window.addEventListener(
      'pointermove',
      ({ clientX }) => {
        if (!this.drag) return;
        this.drag.now = within(this.drag.width + clientX - this.drag.from);
        this.on.drawn();
      },
      { signal },
    );
    window.addEventListener('pointerup', () => end(true), { signal });
    window.addEventListener('pointercancel', () => end(false), { signal });
    window.addEventListener('keydown', ({ key }) => key === 'Escape' && end(false), { signal });
  }
}

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
