import { t } from '../../base/l10n';
import { shortNumber } from '../../base/number-text';
import { formatMetric, metricInfo, type MetricName } from '../../experiment/metrics';
import type { PageTrial } from '../../protocol/panels/sweep';
import { type Figure, fitted, line, linear, type Point, type Shape, text } from '../figures/figure';
import { bestByNumber, bestOverTime, type BestPoint } from './best-so-far';
import type { HeatMap } from './heat-map';
import { lineOf, type ParallelLayout, yOf } from './parallel';

/** Parallel coordinates as a drawing to save. `shade` is that of a trial; undefined without a result. */
export function parallelFigure(
  layout: ParallelLayout,
  trials: readonly PageTrial[],
  shade: (trial: PageTrial) => number | undefined,
  title: string,
): Figure {
  const { width, height, axes } = layout;
  const lines = trials
    .map((trial) => ({ trial, shade: shade(trial) }))
    // The best on top.
    .sort((a, b) => (a.shade ?? -1) - (b.shade ?? -1))
    .map(({ trial, shade }): Shape => ({
      kind: 'path',
      points: lineOf(layout, trial),
      class: shade === undefined ? 'trial unmeasured' : `trial shade-${shade}`,
    }));
  return {
    width,
    height,
    title,
    summary: axes.map((a) => a.label).join(', '),
    shapes: [...lines, ...axisShapes(layout)],
    table: { head: [], rows: [] },
  };
}

/** The axes with their names and ticks, which are drawn over the lines. */
export function axisShapes(layout: ParallelLayout): Shape[] {
  const { axes, x, top, bottom } = layout;
  return axes.flatMap((axis, i) => {
    const room = (x[i + 1] ?? layout.width) - x[i];
    return [
      line(x[i], top, x[i], bottom, 'axis'),
      // Bold text is wider than the other.
      text(x[i], 14, fitted(axis.label, 0.85 * room - 4), 'start', 'name'),
      ...spaced(axis.ticks, layout).flatMap(({ at, label }) => [
        line(x[i] - 3, yOf(layout, at), x[i] + 3, yOf(layout, at), 'axis'),
        text(x[i] + 7, yOf(layout, at) + 4, fitted(label, room - 12), 'start', 'tick'),
      ]),
    ];
  });
}

/** Without those that would overlap the one below. */
function spaced<T extends { at: number }>(ticks: readonly T[], layout: ParallelLayout): T[] {
  const kept: T[] = [];
  for (const tick of ticks) {
    const before = kept.at(-1);
    if (!before || yOf(layout, before.at) - yOf(layout, tick.at) >= 13) kept.push(tick);
  }
  return kept;
}

export interface BestOptions {
  metric: MetricName;
  by: 'time' | 'number';
}

/** The best result so far as a step line, over all results as dots. Undefined before the first result. */
export function bestFigure(
  trials: readonly PageTrial[],
  width: number,
  { metric, by }: BestOptions,
): Figure | undefined {
  const { all, points, end } = by === 'time' ? bestOverTime(trials, metric) : bestByNumber(trials, metric);
  if (points.length === 0) return undefined;
  const { unit, name } = axisOf(by, end);
  const [height, left, bottom] = [260, 56, 36];
  const { longLabel, range } = metricInfo(metric);
  const y = linear(
    all.map((p) => p.value),
    height - bottom,
    12,
    { within: range },
  );
  const x = linear(by === 'time' ? [0, end / unit] : [1, end], left, width - 12, {
    zero: by === 'time',
    within: by === 'time' ? [0, Infinity] : [0.5, Infinity],
  });
  const xAt = (v: number) => x.at(v / unit);
  const xText = (v: number) => (by === 'time' ? x.text(v) : String(v));
  const best = points.at(-1)!;
  const title = t('Best {0} so far', longLabel);
  return {
    width,
    height,
    title,
    summary: t(
      '{0} by {1}. Improvements: {2}.',
      formatMetric(metric, best.value),
      best.trial.name,
      points.length,
    ),
    shapes: [
      ...y.marks.flatMap((v) => [
        line(left, y.at(v), width - 12, y.at(v), 'grid'),
        text(left - 6, y.at(v) + 4, formatMetric(metric, v), 'end'),
      ]),
      ...x.marks
        .filter((v) => by === 'time' || Number.isInteger(v))
        .filter((v) => x.at(v) <= width - 12)
        .map((v) => text(x.at(v), height - bottom + 16, xText(v), 'middle')),
      text((left + width) / 2, height - 4, name, 'middle'),
      ...all.map((p): Shape => ({
        kind: 'circle',
        x: xAt(p.x),
        y: y.at(p.value),
        r: 2.2,
        class: 'dot thin',
      })),
      { kind: 'path', points: steps(points, end, xAt, y.at), class: 'curve series-0' },
      ...points.map((p): Shape => ({
        kind: 'circle',
        x: xAt(p.x),
        y: y.at(p.value),
        r: 3.5,
        class: 'dot series-0',
      })),
    ],
    table: {
      head: [name, longLabel, t('Run')],
      rows: points.map((p) => [shortNumber(p.x / unit), formatMetric(metric, p.value), p.trial.name]),
    },
  };
}

/** The unit and the name of the horizontal axis. */
function axisOf(by: BestOptions['by'], end: number): { unit: number; name: string } {
  if (by === 'number') return { unit: 1, name: t('Trials in order') };
  if (end > 7200) return { unit: 3600, name: t('Training time (h)') };
  if (end > 120) return { unit: 60, name: t('Training time (min)') };
  return { unit: 1, name: t('Training time (s)') };
}

/** Horizontal until the next improvement, and to the end. */
function steps(
  points: readonly BestPoint[],
  end: number,
  x: (v: number) => number,
  y: (v: number) => number,
): Point[] {
  const line: Point[] = [];
  for (const p of points) {
    const before = line.at(-1);
    if (before) line.push([x(p.x), before[1]]);
    line.push([x(p.x), y(p.value)]);
  }
  line.push([Math.max(x(end), line.at(-1)![0]), line.at(-1)![1]]);
  return line;
}

/** The heat map as a drawing to save; on the page it is a table. */
export function heatFigure(
  map: HeatMap,
  {
    title,
    x,
    y,
    shade,
    cell,
  }: {
    title: string;
    x: string;
    y: string;
    shade(value: number): number;
    cell(value: number): string;
  },
): Figure {
  const [left, top, wide, high] = [110, 40, 84, 30];
  const width = left + map.columns.length * wide + 12;
  const height = top + map.rows.length * high + 16;
  return {
    width,
    height,
    title,
    summary: `${x} × ${y}`,
    shapes: [
      text(left, 14, x, 'start', 'name'),
      text(left - 8, top - 8, fitted(y, left - 12), 'end', 'name'),
      ...map.columns.map((c, i) => text(left + (i + 0.5) * wide, top - 8, fitted(c, wide - 4), 'middle')),
      ...map.rows.map((r, j) => text(left - 8, top + (j + 0.5) * high + 4, fitted(r, left - 12), 'end')),
      ...map.cells.flatMap((row, j) =>
        row.flatMap(({ value, trials }, i): Shape[] => {
          const [cx, cy] = [left + i * wide, top + j * high];
          const name = value === undefined ? 'cell untried' : `cell shade-${shade(value)}`;
          const words = value === undefined ? (trials.length > 0 ? '…' : '') : cell(value);
          return [
            { kind: 'rect', x: cx + 1, y: cy + 1, width: wide - 2, height: high - 2, class: name },
            text(cx + wide / 2, cy + high / 2 + 4, words, 'middle'),
          ];
        }),
      ),
    ],
    table: { head: [], rows: [] },
  };
}
