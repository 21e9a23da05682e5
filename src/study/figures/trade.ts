import { t } from '../../base/l10n';
import { count } from '../../base/number-text';
import type { MetricName } from '../../experiment/metrics';
import type { Group } from '../groups';
import { methodName } from '../labels';
import { factorOf, metricTitle, rangeOf, shown } from '../metric';
import type { Section } from '../study';
import {
  type Figure,
  fitted,
  line,
  linear,
  logarithmic,
  marker,
  seriesClass,
  type Shape,
  short,
  text,
  whisker,
} from './figure';

/** More names than this has room for make it higher. */
const LEAST_HEIGHT = 340;
const EDGE = { left: 52, top: 26, bottom: 42 };
/** Pixels between points side by side, so that their error bars do not overlap. */
const POINT_GAP = 9;
/** The width of all of them side by side, beyond which they overlap: further aside, they would state other numbers of parameters. */
const MOST_ASIDE = 120;
const LINE = 15;

/**
 * Parameters against performance, with error bars: the paper's Figure 1. Names are beside the points, connected by
 * lines.
 */
export function trade(section: Section, metric: MetricName, width: number): Figure {
  const groups = section.groups.filter((g) => g.chosen);
  const names = width < 480 ? width * 0.42 : Math.min(300, width * 0.4);
  const right = width - names - 22;
  const height = Math.max(LEAST_HEIGHT, EDGE.top + LINE * groups.length + EDGE.bottom);
  const bottom = height - EDGE.bottom;
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
  const [first, last] = [EDGE.left + POINT_GAP, right - POINT_GAP];
  const gap = Math.min(POINT_GAP, MOST_ASIDE / groups.length);
  const wanted = groups.map((g) => x.at(g.parameters));
  const places = apart(wanted, gap, first, last);
  const shapes: Shape[] = [
    ...y.marks.flatMap((v) => [
      line(EDGE.left, y.at(v), right, y.at(v), 'grid'),
      text(EDGE.left - 6, y.at(v) + 4, y.text(v), 'end'),
    ]),
    ...x.marks.map((v) => text(x.at(v), bottom + 16, x.text(v), 'middle')),
    line(EDGE.left, bottom, right, bottom, 'axis'),
    text((EDGE.left + right) / 2, height - 8, t('adapter parameters'), 'middle'),
    text(2, 14, metricTitle(metric)),
  ];
  const points = groups.map((g, i) => ({ g, x: places[i], y: y.at(g.metrics[metric].mean * f) }));
  const rows = apart(
    points.map((p) => p.y),
    LINE,
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
    height,
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

/**
 * Positions at least `gap` apart, in the order of the wanted ones, with the least squared distance to them: isotonic regression
 * of what is wanted less the gaps before it (pool adjacent violators), kept between the ends. More than fit there go
 * beyond the second end.
 */
export function apart(wanted: readonly number[], gap: number, from: number, to: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b]);
  const pools: { sum: number; size: number }[] = [];
  order.forEach((of, place) => {
    let pool = { sum: wanted[of] - place * gap, size: 1 };
    for (let last = pools.at(-1); last && last.sum / last.size >= pool.sum / pool.size; last = pools.at(-1)) {
      pool = { sum: last.sum + pool.sum, size: last.size + pool.size };
      pools.pop();
    }
    pools.push(pool);
  });
  const most = Math.max(from, to - (order.length - 1) * gap);
  const at = pools.flatMap(({ sum, size }) =>
    Array<number>(size).fill(Math.min(Math.max(sum / size, from), most)),
  );
  const out = new Array<number>(order.length);
  order.forEach((of, place) => (out[of] = at[place] + place * gap));
  return out;
}

const SWEEP_HEIGHT = 280;

/** A metric by rank, with a line for each method: the paper's Figure 5. Undefined if no method has two ranks. */
export function rankSweep(section: Section, metric: MetricName, width: number): Figure | undefined {
  const series = sweeps(section.groups);
  if (series.length === 0) return undefined;
  const ranks = [...new Set(series.flatMap((s) => s.groups.map((g) => g.rank!)))].sort((a, b) => a - b);
  const f = factorOf(metric);
  const names = Math.min(220, width * 0.3);
  const right = width - names - 16;
  const bottom = SWEEP_HEIGHT - EDGE.bottom;
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
    text((EDGE.left + right) / 2, SWEEP_HEIGHT - 8, t('rank r'), 'middle'),
    text(2, 14, metricTitle(metric)),
  ];
  const ends = apart(
    series.map((s) => y.at(of(s.groups.at(-1)!).mean * f)),
    LINE,
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
    height: SWEEP_HEIGHT,
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
