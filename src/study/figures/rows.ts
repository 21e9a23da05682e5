import { fitted, line, lyingWhisker, seriesClass, text, widthOf, type Shape } from './figure';
import { linear, type Range, type Scale } from './scale';

const LINE = 26;
const TOP = 8;
const BELOW = 40;

export interface Row {
  label: string;
  values: readonly number[];
}

/** The frame of a chart with horizontal rows: names on the left, one axis below. */
export interface Frame {
  height: number;
  /** The right edge of the names. */
  left: number;
  shapes: Shape[];
  scale: Scale;
  /** Pixels of a row's middle. */
  y: (row: number) => number;
}

/**
 * @param values everything that the axis must include
 * @param zero true if it must include 0
 * @param within the limits of the axis; values beyond are drawn at its ends
 */
export function frame(
  labels: readonly string[],
  values: readonly number[],
  axis: string,
  width: number,
  zero: boolean,
  within?: Range,
): Frame {
  const names = Math.min(Math.max(...labels.map(widthOf)) + 4, width * 0.45);
  const left = names + 10;
  const right = width - 16;
  const bottom = TOP + labels.length * LINE;
  const scale = linear(values, left, right, { zero, within });
  const y = (row: number) => TOP + (row + 0.5) * LINE;
  return {
    height: bottom + BELOW,
    left,
    scale,
    y,
    shapes: [
      ...scale.marks.flatMap((v) => [
        line(scale.at(v), TOP, scale.at(v), bottom, 'grid'),
        text(scale.at(v), bottom + 16, scale.text(v), 'middle'),
      ]),
      ...(zero ? [line(scale.at(0), TOP, scale.at(0), bottom, 'axis')] : []),
      text(right, bottom + 34, axis, 'end'),
      ...labels.map((label, i) => text(names, y(i) + 4, fitted(label, names), 'end', 'label')),
    ],
  };
}

/** A bar from zero, with its interval if known. */
export function bar(
  { scale, y, left }: Frame,
  row: number,
  value: number,
  half: number | undefined,
  series: number,
): Shape[] {
  const [from, to] = [scale.at(0), scale.at(value)].sort((a, b) => a - b);
  return [
    {
      kind: 'rect',
      x: from,
      y: y(row) - 8,
      width: Math.max(1, to - from),
      height: 16,
      class: `bar ${seriesClass(series)}`,
    },
    ...(half === undefined
      ? []
      : lyingWhisker(y(row), Math.max(left, scale.at(value - half)), scale.at(value + half))),
  ];
}
