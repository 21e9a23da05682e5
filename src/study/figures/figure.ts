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
export const MARKERS = 8;
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
