import { logTicksOf, ticksOf, tickTexts } from '../../src/base/tick-texts';
import { columnsOf } from './chart-columns';
import { type Curve, type Projection, rangeY, strokeOf } from './curve';
import { FLAG_ICONS, layoutFlags } from './flag-lane';
import type { ChartOptions, ChartView } from './line-chart';
import { hasLine, CROSS, markPath } from './chart-marks';
import type { ChartColors } from './chart-colors';

/** An element of a picture, in CSS pixels: a path as in SVG, or a text. Later ones are on top. */
export type Shape =
  | {
      path: string;
      stroke?: string;
      width?: number;
      dash?: readonly number[];
      fill?: string;
      opacity?: number;
      /** Only inside of the axes. */
      clipped?: true;
    }
  | {
      text: string;
      x: number;
      y: number;
      color: string;
      anchor: 'start' | 'middle' | 'end';
      bold?: true;
    };

export interface Picture {
  width: number;
  height: number;
  background: string;
  font: string;
  title: string;
  shapes: Shape[];
  /** The area within the axes. */
  inner: { left: number; top: number; width: number; height: number };
}

/** One line of the legend: a curve's looks, and its words. */
export interface LegendEntry {
  curve: Pick<Curve, 'color' | 'dash' | 'width' | 'faint' | 'validation' | 'points' | 'crosses'>;
  text: string;
}

interface PictureOptions extends Pick<ChartOptions, 'formatX' | 'formatY' | 'ticksX' | 'ticksY'> {
  title: string;
  legend: readonly LegendEntry[];
  colors: ChartColors;
  increments?: readonly number[];
  width: number;
  height: number;
}

const PADDING = 12;
const LINE = 16;
const AXIS = { left: 62, bottom: 40 };
const FLAGS = 22;
const TICK_SPACE = { x: 80, y: 36 };
/** Between two flags, with a count beside its icon. */
const FLAG_SPACE = 30;

/** A chart as shapes, for a file: with title and legend, and the axes and curves of the page. */
export function pictureOf(view: ChartView, options: PictureOptions): Picture {
  const { title, legend, colors, width, height } = options;
  const rows = legendRows(legend, width - 2 * PADDING);
  const flags = (view.marks ?? []).some(({ label }) => label !== undefined) ? FLAGS : 0;
  const top = PADDING + LINE + 8 + rows.length * LINE + flags;
  const inner = {
    left: PADDING + AXIS.left,
    top,
    width: width - 2 * PADDING - AXIS.left,
    height: height - top - AXIS.bottom - PADDING,
  };
  const projection = projectionOf(view, inner);
  const shapes: Shape[] = [
    { text: title, x: PADDING, y: PADDING + 12, color: colors.text, anchor: 'start', bold: true },
    ...rows.flatMap((row, i) => legendShapes(row, PADDING + LINE + 16 + i * LINE, colors)),
    ...axes(view, inner, projection, options),
    ...view.curves.flatMap((curve) => curveShapes(curve, projection, colors)),
    ...flagShapes(view, inner, projection, colors),
  ];
  const font = colors.font.replace(/^11px /, '');
  return { width, height, background: colors.background, font, title, shapes, inner };
}

function projectionOf(view: ChartView, { left, top, width, height }: Picture['inner']): Projection {
  const { min, max, log = false } = view;
  const [low, high] = rangeY(view);
  const on = log ? Math.log : (v: number) => v;
  return {
    ...{ min, max, log },
    x: (v) => left + ((v - min) / (max - min)) * width,
    y: (v) => top + height - ((on(v) - on(low)) / (on(high) - on(low))) * height,
  };
}

function axes(
  view: ChartView,
  inner: Picture['inner'],
  p: Projection,
  { colors, increments, formatX, formatY, ticksX, ticksY }: PictureOptions,
): Shape[] {
  const { left, top, width, height } = inner;
  const [low, high] = rangeY(view);
  const xs = ticksOf(p.min, p.max, width / TICK_SPACE.x, increments);
  const ys = p.log ? logTicksOf(low, high) : ticksOf(low, high, height / TICK_SPACE.y);
  const xTexts = ticksX?.(xs) ?? xs.map(formatX);
  const yTexts = p.log ? ys.map(formatY) : (ticksY?.(ys) ?? tickTexts(ys));
  const grid = { stroke: colors.grid, width: 0.5 } as const;
  const label = { color: colors.text } as const;
  return [
    ...xs.flatMap((v, i): Shape[] => [
      { path: `M${n(p.x(v))} ${top}V${top + height + 4}`, ...grid },
      { text: xTexts[i], x: p.x(v), y: top + height + 17, anchor: 'middle', ...label },
    ]),
    ...ys.flatMap((v, i): Shape[] => [
      { path: `M${left - 4} ${n(p.y(v))}H${left + width}`, ...grid },
      { text: yTexts[i], x: left - 8, y: p.y(v) + 4, anchor: 'end', ...label },
    ]),
    { text: view.xLabel, x: left + width / 2, y: top + height + 34, anchor: 'middle', ...label },
  ];
}

function curveShapes(curve: Curve, p: Projection, colors: ChartColors): Shape[] {
  const { color, dash, opacity } = strokeOf(curve, colors);
  const line: Shape = {
    path: lineData(curve, p),
    stroke: color,
    width: curve.width,
    dash,
    opacity,
    clipped: true,
  };
  if (!curve.points) return [line];
  const marks: string[] = [];
  for (let i = 0; i < curve.x.length; i++) {
    const [x, y] = [curve.x[i], curve.y[i]];
    if (x >= p.min && x <= p.max && Number.isFinite(y) && (!p.log || y > 0))
      marks.push(markPath(curve.crosses ? CROSS : curve.dash % 4, p.x(x), p.y(y), 3));
  }
  const points: Shape = { path: marks.join(''), stroke: color, width: curve.width, fill: colors.background };
  return curve.crosses ? [points] : [line, points];
}

/** Through each value or, of many, through what is visible in each pixel. */
function lineData(curve: Curve, p: Projection): string {
  const columns = columnsOf(curve, p, 1);
  let data = '';
  if (columns) {
    const { length, x, first, low, high, last, joined } = columns;
    for (let k = 0; k < length; k++) {
      const at = n(x[k]);
      data += `${joined[k] ? 'L' : 'M'}${at} ${n(p.y(first[k]))}`;
      if (low[k] < high[k])
        data += `L${at} ${n(p.y(low[k]))}L${at} ${n(p.y(high[k]))}L${at} ${n(p.y(last[k]))}`;
    }
    return data;
  }
  let pen = false;
  for (let i = 0; i < curve.x.length; i++) {
    const drawable = Number.isFinite(curve.y[i]) && (!p.log || curve.y[i] > 0);
    if (drawable) data += `${pen ? 'L' : 'M'}${n(p.x(curve.x[i]))} ${n(p.y(curve.y[i]))}`;
    pen = drawable;
  }
  return data;
}

function flagShapes(
  { marks = [] }: ChartView,
  inner: Picture['inner'],
  p: Projection,
  { text }: ChartColors,
): Shape[] {
  const { left, top, width, height } = inner;
  const lines = marks
    .filter((mark) => hasLine(mark) && mark.x >= p.min && mark.x <= p.max)
    .map(({ x }): Shape => ({
      path: `M${n(p.x(x))} ${top}V${top + height}`,
      stroke: text,
      width: 1,
      dash: [3, 3],
    }));
  const flags = layoutFlags(marks, (x) => p.x(x) - left, width, FLAG_SPACE).flatMap((flag): Shape[] => {
    const at = left + flag.left - (flag.marks.length > 1 ? 11 : 6);
    const icon: Shape = { path: moved(FLAG_ICONS[flag.kind], at, top - 17), fill: text };
    if (flag.marks.length === 1) return [icon];
    return [icon, { text: String(flag.marks.length), x: at + 15, y: top - 7, color: text, anchor: 'start' }];
  });
  return [...lines, ...flags];
}

/** A path of absolute commands with pairs of numbers, elsewhere. */
function moved(path: string, dx: number, dy: number): string {
  let horizontal = false;
  return path.replace(/-?\d+(\.\d+)?/g, (value) => {
    horizontal = !horizontal;
    return n(Number(value) + (horizontal ? dx : dy));
  });
}

/** About as wide as a text is, where nothing can measure it. */
const widthOf = ({ text }: LegendEntry): number => 34 + 6.4 * text.length + 18;

function legendRows(legend: readonly LegendEntry[], width: number): LegendEntry[][] {
  const rows: LegendEntry[][] = [];
  let used = Infinity;
  for (const entry of legend) {
    if (used + widthOf(entry) > width) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1)!.push(entry);
    used += widthOf(entry);
  }
  return rows;
}

function legendShapes(row: readonly LegendEntry[], y: number, colors: ChartColors): Shape[] {
  let x = PADDING;
  return row.flatMap((entry) => {
    const { curve, text } = entry;
    const { color, dash, opacity } = strokeOf(curve, colors);
    const from = x;
    x += widthOf(entry);
    return [
      ...(curve.crosses
        ? []
        : [{ path: `M${n(from)} ${y}H${n(from + 28)}`, stroke: color, width: curve.width, dash, opacity }]),
      ...(curve.points
        ? [
            {
              path: markPath(curve.crosses ? CROSS : curve.dash % 4, from + 14, y, 3),
              stroke: color,
              width: 1.5,
              fill: colors.background,
            },
          ]
        : []),
      { text, x: from + 34, y: y + 4, color: colors.text, anchor: 'start' as const },
    ];
  });
}

/** A hundredth of a pixel is exact enough. */
const n = (value: number): string => String(Number(value.toFixed(2)));
