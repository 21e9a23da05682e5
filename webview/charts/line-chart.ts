import uPlot from 'uplot';
import { columnsOf, drawColumns } from './chart-columns';
import { linePath, pointsPath, type Curve, type Projection, rangeY, nearest, strokeOf } from './curve';
import { FlagLane, type FlagWords } from './flag-lane';
import { paintMarks, type Mark } from './chart-marks';
import { onPointer } from './chart-pointer';
import { chartColors, onThemeChange, type ChartColors } from './chart-colors';

/** Fired by a chart's host after each redraw of its canvas; bubbles. */
export const DRAWN = 'chart-drawn';

/** The content of a chart. Curves are drawn in order, later ones on top. */
export interface ChartView {
  curves: readonly Curve[];
  marks?: readonly Mark[];
  /** Range of x in view. */
  min: number;
  max: number;
  /** Logarithmic y; nonpositive values become gaps. */
  log?: boolean;
  /** The y axis starts at zero. */
  fromZero?: boolean;
  /** The minimum and maximum possible value: the limits of the y axis. */
  within?: readonly [number, number];
  xLabel: string;
}

/** Delay before a chart outside the window is drawn, after the last `show`. */
const CALM_MS = 300;
/** Margin above and below the window, so that a chart is drawn before it is scrolled to. */
const NEAR = '200px';

export interface ChartOptions {
  /** CSS pixels, axes included. */
  height: number;
  formatX(value: number): string;
  formatY(value: number): string;
  /** The labels of all ticks together, which tell neighbors apart; each by `formatX` or `formatY` if left out. */
  ticksX?(ticks: number[]): string[];
  /** Not for a logarithmic axis. */
  ticksY?(ticks: number[]): string[];
  /** Tick distances to choose from, in units of x; decimal ones by default. */
  xIncrements?(): number[] | undefined;
  /** The pointer's x; undefined once it has left. */
  onCursor?(x: number | undefined): void;
  /** A range was selected by dragging, panning or zooming; undefined for everything. */
  onZoom?(range: [min: number, max: number] | undefined): void;
  /** Words of the flags; without them, or without a lane, there are none. */
  flagWords?: FlagWords;
  /** A flag was chosen; `x` is that of its first event. */
  onFlag?(x: number): void;
  /** A click, or (`menu`) a secondary click at the given position in the window. */
  onPick?(x: number, y: number, menu: { left: number; top: number } | undefined): void;
}

/**
 * A line chart in `host`: uPlot provides axes, scales, cursor and selection. Curves are drawn here, each from its own
 * arrays, so that runs of different lengths need no common x, and a million values cost no more than their pixels.
 * `show` may be called as often as needed: it draws once per animation frame, and charts far outside the window only
 * when there is time.
 */
export class LineChart {
  private plot: uPlot | undefined;
  private view: ChartView | undefined;
  private colors: ChartColors = chartColors();
  private dots: HTMLElement[] = [];
  private cursor: number | undefined;
  /** The pointer's position, in pixels from the left edge; undefined outside, or once the cursor was set elsewhere. */
  private pointer: number | undefined;
  /** The x last passed to `onCursor`. */
  private told: number | undefined;
  private frame = 0;
  private calm = 0;
  private near = true;
  private readonly intersection: IntersectionObserver;
  private readonly resize: ResizeObserver;
  private readonly unTheme: () => void;
  private readonly lane: FlagLane | undefined;

  /** @param lane above `host`, for the flags */
  constructor(
    private readonly host: HTMLElement,
    private readonly options: ChartOptions,
    lane?: HTMLElement,
  ) {
    const { flagWords, onFlag } = options;
    this.lane = lane && flagWords && new FlagLane(lane, flagWords, (x) => onFlag?.(x));
    this.resize = new ResizeObserver(() => this.fit());
    this.resize.observe(host);
    this.intersection = new IntersectionObserver(
      (entries) => {
        this.near = entries[entries.length - 1].isIntersecting;
        if (this.near && this.calm) this.draw();
        else this.placeCursor();
      },
      { rootMargin: NEAR },
    );
    this.intersection.observe(host);
    this.unTheme = onThemeChange(() => {
      this.colors = chartColors();
      this.rebuild();
    });
  }

  show(view: ChartView): void {
    const rebuild =
      this.view !== undefined && (view.log !== this.view.log || view.xLabel !== this.view.xLabel);
    this.view = view;
    if (rebuild) this.rebuild();
    else if (this.near || !this.plot) this.draw();
    else this.drawLater();
  }

  /** Moves the crosshair to an x, as if the pointer were there; undefined removes it. */
  setCursor(x: number | undefined): void {
    if (x !== this.told) this.pointer = undefined;
    this.cursor = x;
    this.placeCursor();
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.calm);
    this.intersection.disconnect();
    this.resize.disconnect();
    this.unTheme();
    this.plot?.destroy();
  }

  private drawLater(): void {
    clearTimeout(this.calm);
    // One chart at a time.
    this.calm = window.setTimeout(() => requestIdleCallback(() => this.calm && this.draw()), CALM_MS);
  }

  private draw(): void {
    clearTimeout(this.calm);
    this.calm = 0;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (!this.view) return;
      if (!this.plot) return this.build();
      const { min, max } = this.view;
      this.plot.setScale('x', { min, max });
      this.placeCursor();
    });
  }

  private fit(): void {
    const width = this.host.clientWidth;
    if (!this.plot || width === 0) return this.draw();
    if (width !== this.plot.width) this.plot.setSize({ width, height: this.options.height });
    this.placeCursor();
  }

  private rebuild(): void {
    this.plot?.destroy();
    this.plot = undefined;
    this.dots = [];
    this.draw();
  }

  private build(): void {
    const width = this.host.clientWidth;
    if (width === 0) return;
    const { min, max } = this.view!;
    // uPlot does not draw the curves: it gets an empty range.
    const data: uPlot.AlignedData = [
      [min, max],
      [null, null],
    ];
    this.plot = new uPlot(this.uplotOptions(width), data, this.host);
    this.plot.setScale('x', { min, max });
    onPointer(this.plot, { ...this.options, onMove: (left) => this.movePointer(left) });
    this.placeCursor();
  }

  private movePointer(left: number | undefined): void {
    this.pointer = left;
    this.tellCursor();
  }

  /** Only reports a pointer: a cursor that was set from outside is already where its owner wants it. */
  private tellCursor(): void {
    const { pointer, plot } = this;
    this.told = pointer === undefined ? undefined : plot?.posToVal(pointer, 'x');
    this.options.onCursor?.(this.told);
  }

  private uplotOptions(width: number): uPlot.Options {
    const { height, formatX, formatY, ticksX, ticksY, xIncrements, onZoom } = this.options;
    const { log } = this.view!;
    const { text, grid, font } = this.colors;
    const axis = { stroke: text, font, ticks: { stroke: grid, size: 4, width: 1 } };
    const faint = { stroke: grid, width: 0.5 };
    return {
      width,
      height,
      legend: { show: false },
      scales: {
        x: { time: false, range: (_, low, high) => [low, high] },
        y: { distr: this.view!.log ? 3 : 1, range: () => rangeY(this.view!) },
      },
      series: [{}, { show: false }],
      axes: [
        {
          ...axis,
          grid: faint,
          values: (_, ticks) => ticksX?.(ticks) ?? ticks.map(formatX),
          incrs: xIncrements?.(),
          label: this.view!.xLabel,
          labelFont: font,
          labelSize: 16,
          labelGap: 0,
          size: 26,
          space: 60,
        },
        {
          ...axis,
          grid: faint,
          // A logarithmic axis leaves out labels.
          values: (_, ticks: (number | null)[]) =>
            (!log && ticksY?.(ticks as number[])) || ticks.map((v) => (v === null ? '' : formatY(v))),
          size: 58,
          space: 28,
        },
      ],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false },
        // By default, a double click resets to the range of uPlot's own data.
        bind: { dblclick: () => null },
      },
      hooks: {
        draw: [(plot) => this.paint(plot)],
        // uPlot's setCursor hook also fires when uPlot itself sets the cursor.
        setScale: [
          (_, key) => {
            // The values move under a pointer at rest.
            if (key === 'x' && this.pointer !== undefined) this.tellCursor();
          },
        ],
        setSelect: [
          (plot) => {
            const { left, width } = plot.select;
            if (width < 4) return;
            onZoom?.([plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]);
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    };
  }

  private paint(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const { curves, marks = [], min, max, log } = this.view!;
    const ratio = devicePixelRatio;
    const projection: Projection = {
      min,
      max,
      log: log === true,
      x: (v) => bbox.left + ((v - min) / (max - min)) * bbox.width,
      y: (v) => plot.valToPos(v, 'y', true),
    };
    for (const curve of curves) {
      if (curve.crosses) {
        this.paintPoints(ctx, curve, projection);
        continue;
      }
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top - 4 * ratio, bbox.width, bbox.height + 8 * ratio);
      ctx.clip();
      ctx.lineJoin = 'bevel';
      const { color, dash, opacity } = strokeOf(curve, this.colors);
      ctx.strokeStyle = color;
      ctx.lineWidth = curve.width * ratio;
      ctx.globalAlpha = opacity;
      ctx.setLineDash(dash.map((n) => n * ratio));
      const column = Math.max(1, Math.round(ratio));
      const columns = columnsOf(curve, projection, column);
      if (columns) drawColumns(ctx, columns, projection, column);
      else ctx.stroke(linePath(curve, projection));
      ctx.restore();
      if (curve.points) this.paintPoints(ctx, curve, projection);
    }
    // Not clipped: one at the last step would be cut in half.
    ctx.save();
    paintMarks(ctx, bbox, marks, projection, this.colors);
    ctx.restore();
    const toLane = (x: number) => (projection.x(x) - bbox.left) / ratio;
    this.lane?.place(marks, toLane, bbox.left / ratio, bbox.width / ratio);
    this.host.dispatchEvent(new CustomEvent(DRAWN, { bubbles: true }));
  }

  /** Not clipped, either. */
  private paintPoints(ctx: CanvasRenderingContext2D, curve: Curve, projection: Projection): void {
    const ratio = devicePixelRatio;
    const path = pointsPath(curve, projection, 3 * ratio);
    ctx.save();
    ctx.strokeStyle = strokeOf(curve, this.colors).color;
    ctx.lineWidth = curve.width * ratio;
    ctx.fillStyle = this.colors.background;
    ctx.fill(path);
    ctx.stroke(path);
    ctx.restore();
  }

  private placeCursor(): void {
    const { plot, view, cursor } = this;
    if (!plot || !view || !this.near || plot.status !== 1) return;
    const inView = cursor !== undefined && cursor >= view.min && cursor <= view.max;
    plot.setCursor({ left: inView ? plot.valToPos(cursor, 'x') : -10, top: inView ? 0 : -10 }, false);
    view.curves.forEach((curve, i) => this.placeDot(plot, curve, i, inView ? cursor : undefined));
    for (let i = view.curves.length; i < this.dots.length; i++) this.dots[i].hidden = true;
  }

  /** At the exact value nearest to the cursor; the curve may be decimated, the point is not. */
  private placeDot(plot: uPlot, curve: Curve, i: number, cursor: number | undefined): void {
    const dot = (this.dots[i] ??= plot.over.appendChild(document.createElement('span')));
    const at = cursor === undefined ? -1 : nearest(curve.x, cursor);
    const left = at < 0 ? NaN : plot.valToPos(curve.x[at], 'x');
    const top = at < 0 ? NaN : plot.valToPos(curve.y[at], 'y');
    const { width, height } = plot.bbox;
    const inside =
      left >= 0 && left <= width / devicePixelRatio && top >= 0 && top <= height / devicePixelRatio;
    dot.className = `chart-dot ${curve.validation ? 'shade' : 'color'}-${curve.color % this.colors.series.length}`;
    dot.hidden = !inside || curve.faint === true || curve.crosses === true;
    if (inside) dot.style.transform = `translate(${left}px, ${top}px)`;
  }
}
