import { own } from '../../base/names';
import type { PageTrial } from '../../protocol/panels/sweep';
import type { Point } from '../figures/figure';
import type { Axis } from './axis';

/** The positions of the axes of parallel coordinates, in pixels. */
export interface ParallelLayout {
  width: number;
  height: number;
  /** The settings' axes, then the metric's. */
  axes: readonly Axis[];
  x: readonly number[];
  top: number;
  bottom: number;
  /** The place of a value that a trial lacks, below the axes. */
  missing: number;
}

/** Space for the labels of the last axis. */
const RIGHT = 76;
const LEFT = 14;
/** The least distance of two axes, so that labels can be read. */
const LEAST = 76;

/** The axes side by side in at least the width that they need. */
export function parallelLayout(axes: readonly Axis[], width: number, height: number): ParallelLayout {
  const all = Math.max(width, LEFT + RIGHT + LEAST * (axes.length - 1));
  const gap = axes.length > 1 ? (all - LEFT - RIGHT) / (axes.length - 1) : 0;
  return {
    width: all,
    height,
    axes,
    x: axes.map((_, i) => LEFT + i * gap),
    top: 34,
    bottom: height - 34,
    missing: height - 12,
  };
}

/** A trial's place on an axis, from 0 to 1; undefined if it lacks the value. */
const placeOn = (axis: Axis, trial: PageTrial): number | undefined =>
  axis.at(axis.key === METRIC ? trial.metric : own(trial.settings, axis.key));

/** The key of the metric's axis. */
export const METRIC = ' metric';

export const yOf = ({ top, bottom }: ParallelLayout, at: number): number => bottom - at * (bottom - top);

/** A trial as a line through the axes. Without a result, it ends at the last setting. */
export function lineOf(layout: ParallelLayout, trial: PageTrial): Point[] {
  return layout.axes.flatMap((axis, i): Point[] => {
    const at = placeOn(axis, trial);
    if (at === undefined && axis.key === METRIC) return [];
    return [[layout.x[i], at === undefined ? layout.missing : yOf(layout, at)]];
  });
}

/** The trial whose line is nearest to a point, within `reach` pixels. */
export function nearestLine(
  layout: ParallelLayout,
  trials: readonly PageTrial[],
  [x, y]: Point,
  reach = 10,
): PageTrial | undefined {
  let found: PageTrial | undefined;
  let least = reach;
  for (const trial of trials) {
    const line = lineOf(layout, trial);
    for (let i = 1; i < line.length; i++) {
      const [[x0, y0], [x1, y1]] = [line[i - 1], line[i]];
      if (x < x0 - 2 || x > x1 + 2) continue;
      const share = Math.min(1, Math.max(0, (x - x0) / (x1 - x0)));
      // Perpendicular to the line, so that steep ones are not harder to hit.
      const distance = Math.abs(y - (y0 + share * (y1 - y0))) / Math.hypot(1, (y1 - y0) / (x1 - x0));
      if (distance < least) [found, least] = [trial, distance];
    }
  }
  return found;
}

/** Ranges on axes, from 0 to 1, by the axis's key. */
export type Brushes = Readonly<Record<string, readonly [low: number, high: number]>>;

/** A rounded end of a range still includes its value. */
const EDGE = 1e-6;

/** The trials within all ranges. One without a value on a ranged axis is not. */
export function within(trials: readonly PageTrial[], axes: readonly Axis[], brushes: Brushes): PageTrial[] {
  const ranges = axes.flatMap((axis) => {
    const range = own(brushes, axis.key);
    return range ? [{ axis, range }] : [];
  });
  return trials.filter((trial) =>
    ranges.every(({ axis, range: [low, high] }) => {
      const at = placeOn(axis, trial);
      return at !== undefined && at >= low - EDGE && at <= high + EDGE;
    }),
  );
}
