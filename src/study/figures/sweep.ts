import { t } from '../../base/l10n';

import type { MetricName } from '../../experiment/metrics';
import type { Group } from '../groups';
import { methodName } from '../labels';
import { factorOf, metricTitle, rangeOf, shown } from '../metric';
import type { Section } from '../study';
import { fitted, line, marker, seriesClass, text, whisker, type Figure, type Shape } from './figure';
import { linear } from './scale';
import { spread } from './trade';

const HEIGHT = 280;
const EDGE = { left: 52, top: 26, bottom: 42 };

/** A metric by rank, with a line for each method: the paper's Figure 5. Undefined if no method has two ranks. */
export function rankSweep(section: Section, metric: MetricName, width: number): Figure | undefined {
  const series = sweeps(section.groups);
  if (series.length === 0) return undefined;
  const ranks = [...new Set(series.flatMap((s) => s.groups.map((g) => g.rank!)))].sort((a, b) => a - b);
  const f = factorOf(metric);
  const names = Math.min(220, width * 0.3);
  const right = width - names - 16;
  const bottom = HEIGHT - EDGE.bottom;
  const of = (g: Group) => g.metrics[metric];
  const values = series.flatMap((s) =>
    s.groups.flatMap((g) => [of(g).mean - (of(g).half ?? 0), of(g).mean + (of(g).half ?? 0)]),
  );
  const y = linear(
    values.map((v) => v * f),
    bottom,
    EDGE.top,
    { within: rangeOf(metric) },
  );
  const [first, last] = [Math.log2(ranks[0]), Math.log2(ranks.at(-1)!)];
  const x = (rank: number) =>
    EDGE.left + 16 + ((Math.log2(rank) - first) / (last - first)) * (right - EDGE.left - 32);
  const shapes: Shape[] = [
    ...y.marks.flatMap((v) => [
      line(EDGE.left, y.at(v), right, y.at(v), 'grid'),
      text(EDGE.left - 6, y.at(v) + 4, y.text(v), 'end'),
    ]),
    ...ranks.map((r) => text(x(r), bottom + 16, String(r), 'middle')),
    line(EDGE.left, bottom, right, bottom, 'axis'),
    text((EDGE.left + right) / 2, HEIGHT - 8, t('rank r'), 'middle'),
    text(2, 14, metricTitle(metric)),
  ];
  const ends = spread(
    series.map((s) => y.at(of(s.groups.at(-1)!).mean * f)),
    EDGE.top,
    bottom,
  );
  series.forEach(({ name, groups, look }, i) => {
    shapes.push({
      kind: 'path',
      points: groups.map((g) => [x(g.rank!), y.at(of(g).mean * f)] as const),
      class: `curve dash-${look % 5} ${seriesClass(look)}`,
    });
    for (const g of groups) {
      const { mean, half } = of(g);
      if (half !== undefined)
        shapes.push(...whisker(x(g.rank!), y.at((mean - half) * f), y.at((mean + half) * f), look));
      shapes.push(marker(look, x(g.rank!), y.at(mean * f)));
    }
    shapes.push(text(right + 12, ends[i] + 4, fitted(name, names), 'start', 'label'));
  });
  const cell = (s: Sweep, rank: number) => {
    const g = s.groups.find((g) => g.rank === rank);
    return g ? shown(metric, of(g).mean) : '–';
  };
  return {
    width,
    height: HEIGHT,
    title: t('Rank sweep'),
    summary: series
      .map((s) =>
        t(
          '{0}: {1}',
          s.name,
          s.groups.map((g) => t('{0} at rank {1}', shown(metric, of(g).mean), g.rank!)).join(', '),
        ),
      )
      .join('; '),
    shapes,
    table: {
      head: [t('rank'), ...series.map((s) => s.name)],
      rows: ranks.map((r) => [String(r), ...series.map((s) => cell(s, r))]),
    },
  };
}

interface Sweep {
  name: string;
  /** By rank. */
  groups: Group[];
  /** Index of its color and mark: a method's is the same as in the parameter figure (trade.ts). */
  look: number;
}

/** Groups that differ only in their rank. */
function sweeps(groups: readonly Group[]): Sweep[] {
  const found = new Map<string, Group[]>();
  for (const g of groups) {
    if (!g.chosen || g.rank === undefined) continue;
    const name = [methodName(g.method), ...g.details].join(', ');
    found.set(name, [...(found.get(name) ?? []), g]);
  }
  const methods = [...new Set(groups.filter((g) => g.chosen).map((g) => g.method))];
  let variants = 0;
  return [...found]
    .map(([name, all]) => ({ name, groups: all.sort((a, b) => a.rank! - b.rank!) }))
    .filter(({ groups }) => new Set(groups.map((g) => g.rank)).size > 1)
    .map((s) => {
      const [{ method, details }] = s.groups;
      const look = details.length === 0 ? methods.indexOf(method) : methods.length + variants++;
      return { ...s, look };
    });
}
