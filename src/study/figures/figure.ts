/**
 * A drawing as plain shapes, so that the report (SVG text) and the page (Lit) draw exactly the same. Colors are
 * classes: `series-0` … for the compared runs, and named parts of a chart.
 */
export interface Figure {
  width: number;
  height: number;
  title: string;
  /** Text alternative for screen readers. */
  summary: string;
  shapes: Shape[];
  table: Table;
}

/** A figure's numbers as a table, to read and to copy. */
export interface Table {
  head: string[];
  rows: string[][];
}

export type Shape =
  | { kind: 'line'; x1: number; y1: number; x2: number; y2: number; class: string }
  | { kind: 'path'; points: Point[]; closed?: boolean; class: string }
  | { kind: 'circle'; x: number; y: number; r: number; class: string }
  | { kind: 'rect'; x: number; y: number; width: number; height: number; class: string }
  | { kind: 'text'; x: number; y: number; text: string; anchor: 'start' | 'middle' | 'end'; class: string };

export type Point = readonly [x: number, y: number];

export const line = (x1: number, y1: number, x2: number, y2: number, name: string): Shape => ({
  kind: 'line',
  x1,
  y1,
  x2,
  y2,
  class: name,
});

export const text = (
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end' = 'start',
  name = 'mark',
): Shape => ({ kind: 'text', x, y, text: content, anchor, class: name });

/** Series differ by more than color: circle, square, diamond, triangle, and the same hollow. */
const MARKERS = 8;
/** The number of series colors in the page's theme. */
export const COLORS = 6;

export const seriesClass = (series: number): string => `series-${series % COLORS}`;

export function marker(series: number, x: number, y: number, size = 4.5): Shape {
  const shape = series % 4;
  const name = `dot ${seriesClass(series)}${series % MARKERS >= 4 ? ' hollow' : ''}`;
  if (shape === 0) return { kind: 'circle', x, y, r: size, class: name };
  const s = size;
  const corners: Point[] =
    shape === 1
      ? [
          [-s, -s],
          [s, -s],
          [s, s],
          [-s, s],
        ]
      : shape === 2
        ? [
            [0, -1.4 * s],
            [1.4 * s, 0],
            [0, 1.4 * s],
            [-1.4 * s, 0],
          ]
        : [
            [0, -1.3 * s],
            [1.2 * s, s],
            [-1.2 * s, s],
          ];
  return { kind: 'path', points: corners.map(([dx, dy]) => [x + dx, y + dy]), closed: true, class: name };
}

/** A vertical error bar. */
export const whisker = (x: number, low: number, high: number, series: number): Shape[] => [
  line(x, low, x, high, `whisker ${seriesClass(series)}`),
  line(x - 3, low, x + 3, low, `whisker ${seriesClass(series)}`),
  line(x - 3, high, x + 3, high, `whisker ${seriesClass(series)}`),
];

/** A horizontal error bar. */
export const lyingWhisker = (y: number, low: number, high: number): Shape[] => [
  line(low, y, high, y, 'whisker'),
  line(low, y - 4, low, y + 4, 'whisker'),
  line(high, y - 4, high, y + 4, 'whisker'),
];

/** Approximate text width in the figures, at 11 pixels. */
export const widthOf = (content: string): number => content.length * 6;

/** Truncated to fit, with an ellipsis. */
export function fitted(content: string, width: number): string {
  const most = Math.max(4, Math.floor(width / 6));
  return content.length <= most ? content : `${content.slice(0, most - 1).trimEnd()}…`;
}

/** Maps values to pixels, and lists the ticks of the axis. */
export interface Scale {
  at: (value: number) => number;
  marks: number[];
  /** The label of a tick. */
  text: (value: number) => string;
}

export type Range = readonly [least: number, most: number];

/**
 * A linear axis over all values with some margin, and round ticks.
 *
 * @param zero true if it must include 0
 * @param within the limits of the axis; a value beyond, such as an interval's end, is drawn at its end
 */
export function linear(
  values: readonly number[],
  from: number,
  to: number,
  { zero = false, within = [-Infinity, Infinity] }: { zero?: boolean; within?: Range } = {},
): Scale {
  const [least, most] = within;
  const inside = (v: number) => Math.min(most, Math.max(least, v));
  const given = values.filter(Number.isFinite).map(inside);
  let low = Math.min(...given, ...(zero ? [0] : []));
  let high = Math.max(...given, ...(zero ? [0] : []));
  if (!(high > low)) [low, high] = [low - 1, (Number.isFinite(high) ? high : 0) + 1];
  const room = 0.06 * (high - low);
  if (!zero || low < 0) low -= room;
  if (!zero || high > 0) high += room;
  [low, high] = [Math.max(least, low), Math.min(most, high)];
  const step = roundStep((high - low) / Math.max(3, Math.floor(Math.abs(to - from) / 48)));
  const digits = digitsOf(step);
  const marks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) marks.push(i * step);
  return {
    at: (v) => from + ((inside(v) - low) / (high - low)) * (to - from),
    marks,
    text: (v) =>
      v
        .toFixed(digits)
        .replace(/^-(?=0\.?0*$)/, '')
        .replace('-', '−'),
  };
}

/** Enough decimals to distinguish adjacent ticks: a step of 0.25 has two. */
function digitsOf(step: number): number {
  let digits = 0;
  while (digits < 8 && Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6) digits++;
  return digits;
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 2.5, 5].find((s) => s * power >= rough * (1 - 1e-9)) ?? 10);
}

/** A logarithmic axis of counts; 0 has its own place on the left. */
export function logarithmic(values: readonly number[], from: number, to: number): Scale {
  const positive = values.filter((v) => v > 0);
  const hasZero = positive.length < values.length;
  const start = hasZero ? from + 36 : from;
  const low = Math.log10(Math.min(...positive)) - 0.12;
  const high = Math.log10(Math.max(...positive)) + 0.12;
  const marks: number[] = [];
  for (let p = Math.floor(low); p <= high; p++)
    for (const f of high - low > 2 ? [1] : [1, 2, 5]) {
      const at = Math.log10(f) + p;
      if (at >= low && at <= high) marks.push(f * 10 ** p);
    }
  if (marks.length < 2 && positive.length > 0) marks.splice(0, 1, ...ends(positive, start, to));
  return {
    at: (v) => (v <= 0 ? from + 8 : start + ((Math.log10(v) - low) / (high - low)) * (to - start)),
    marks: hasZero ? [0, ...marks] : marks,
    text: short,
  };
}

/** Without round numbers in range: the minimum and the maximum, or just one of them if their labels would overlap. */
function ends(values: readonly number[], from: number, to: number): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const share = Math.log10(high / low) / (Math.log10(high / low) + 0.24);
  return share * (to - from) < 60 ? [high] : [low, high];
}

/** 6,000 as 6K. */
export function short(n: number): string {
  if (n >= 1e9) return `${round(n / 1e9)}B`;
  if (n >= 1e6) return `${round(n / 1e6)}M`;
  return n >= 1000 ? `${round(n / 1000)}K` : String(n);
}

const round = (n: number): string => String(Number(n.toPrecision(3)));
