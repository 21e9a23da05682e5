import type { MetricName } from '../../experiment/metrics';
import type { Group } from '../groups';
import { factorOf, metricTitle, rangeOf, shown } from '../metric';
import type { Section } from '../study';
import { count } from '../../base/number-text';
import { t } from '../../base/l10n';
import { fitted, line, marker, seriesClass, text, whisker, type Figure, type Shape } from './figure';
import { linear, logarithmic, short } from './scale';

const HEIGHT = 340;
const EDGE = { left: 52, top: 26, bottom: 42 };
/** Points closer than this are placed side by side. */
const NEAR = 9;
const LINE = 15;

/**
 * Parameters against performance, with error bars: the paper's Figure 1. Names are beside the points, connected by
 * lines.
 */
export function trade(section: Section, metric: MetricName, width: number): Figure {
  const groups = section.groups.filter((g) => g.chosen);
  const names = width < 480 ? width * 0.42 : Math.min(300, width * 0.4);
  const right = width - names - 22;
  const bottom = HEIGHT - EDGE.bottom;
  const f = factorOf(metric);
  const ends = groups.flatMap(({ metrics: { [metric]: m } }) => [
    m.mean - (m.half ?? 0),
    m.mean + (m.half ?? 0),
  ]);
  const y = linear(
    ends.map((v) => v * f),
    bottom,
    EDGE.top,
    { within: rangeOf(metric) },
  );
  const x = logarithmic(
    groups.map((g) => g.parameters),
    EDGE.left,
    right,
  );
  const methods = [...new Set(groups.map((g) => g.method))];
  const places = beside(groups, (g) => x.at(g.parameters));
  const shapes: Shape[] = [
    ...y.marks.flatMap((v) => [
      line(EDGE.left, y.at(v), right, y.at(v), 'grid'),
      text(EDGE.left - 6, y.at(v) + 4, y.text(v), 'end'),
    ]),
    ...x.marks.map((v) => text(x.at(v), bottom + 16, x.text(v), 'middle')),
    line(EDGE.left, bottom, right, bottom, 'axis'),
    text((EDGE.left + right) / 2, HEIGHT - 8, t('adapter parameters'), 'middle'),
    text(2, 14, metricTitle(metric)),
  ];
  const points = groups.map((g, i) => ({ g, x: places[i], y: y.at(g.metrics[metric].mean * f) }));
  const rows = spread(
    points.map((p) => p.y),
    EDGE.top,
    bottom,
  );
  points.forEach(({ g, x: px, y: py }, i) => {
    const series = methods.indexOf(g.method);
    const { mean, half } = g.metrics[metric];
    shapes.push({
      kind: 'path',
      points: [
        [px, py],
        [right + 8, rows[i]],
        [right + 14, rows[i]],
      ],
      class: `leader ${seriesClass(series)}`,
    });
    if (half !== undefined)
      shapes.push(...whisker(px, y.at((mean - half) * f), y.at((mean + half) * f), series));
    shapes.push(text(right + 18, rows[i] + 4, fitted(g.label, names), 'start', 'label'));
  });
  points.forEach(({ g, x: px, y: py }) => shapes.push(marker(methods.indexOf(g.method), px, py)));
  return {
    width,
    height: HEIGHT,
    title: t('Performance and parameters'),
    summary: summary(groups, metric),
    shapes,
    table: {
      head: [t('group'), t('parameters'), t('runs'), metricTitle(metric), t('95% interval')],
      rows: groups.map((g) => {
        const { n, mean, half } = g.metrics[metric];
        const interval =
          half === undefined ? '–' : `${shown(metric, mean - half)} … ${shown(metric, mean + half)}`;
        return [g.label, count(g.parameters), String(n), shown(metric, mean), interval];
      }),
    },
  };
}

function summary(groups: readonly Group[], metric: MetricName): string {
  const told = groups.map((g) =>
    t('{0} {1} with {2} parameters', g.label, shown(metric, g.metrics[metric].mean), short(g.parameters)),
  );
  return `${metricTitle(metric)}: ${told.join('; ')}.`;
}

/** Position of each group in pixels: overlapping ones are placed side by side. */
function beside(groups: readonly Group[], at: (g: Group) => number): number[] {
  const order = groups.map((_, i) => i).sort((a, b) => at(groups[a]) - at(groups[b]));
  const out = new Array<number>(groups.length);
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && at(groups[order[to]]) - at(groups[order[from]]) < NEAR) to++;
    const middle = (at(groups[order[from]]) + at(groups[order[to - 1]])) / 2;
    for (let k = from; k < to; k++) out[order[k]] = middle + (k - from - (to - from - 1) / 2) * NEAR;
    from = to;
  }
  return out;
}

/** Positions as close to the wanted ones as the height of their text lines allows. */
export function spread(wanted: readonly number[], top: number, bottom: number, line = LINE): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b]);
  const out = new Array<number>(wanted.length);
  let last = top - line;
  for (const i of order) last = out[i] = Math.max(wanted[i], last + line);
  let next = Math.max(bottom, top + (order.length - 1) * line) + line;
  for (const i of order.reverse()) next = out[i] = Math.min(out[i], next - line);
  return out;
}
