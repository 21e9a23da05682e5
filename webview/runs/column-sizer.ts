import { within } from './keys';

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

  /** Of the column that is being dragged. */
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
