import { t } from '../../base/l10n';
import { shortNumber } from '../../base/number-text';
import { isHeadAlone } from '../../experiment/methods';
import { type MetricName, metricValue } from '../../experiment/metrics';
import { differenceOf } from '../../experiment/shown-metrics';
import type { Comparison } from '../compare-groups';
import type { Group } from '../groups';
import {
  differenceUnit,
  factorOf,
  metricTitle,
  rangeOf,
  shown,
  shownDifference,
  signedDifference,
  WITHIN,
} from '../metric';
import { meanOf, summarize, type Summary } from '../statistics/summary';
import type { Section } from '../study';
import {
  type Figure,
  fitted,
  line,
  linear,
  lyingWhisker,
  marker,
  type Range,
  type Scale,
  seriesClass,
  type Shape,
  text,
  widthOf,
} from './figure';

/**
 * Variants of a method as differences from its plainest form, with 95% intervals: the paper's Tables 4 and 5. Shown as
 * differences, because bars of accuracies would have to start at zero and all look the same.
 */
export function ablation(section: Section, metric: MetricName, width: number): Figure | undefined {
  const all = section.ablations;
  if (all.length === 0) return undefined;
  const shown = (c: Comparison, value: number) => differenceOf(metric, value, c.from);
  const ends = all.flatMap((c) => [c.mean - (c.half ?? 0), c.mean + (c.half ?? 0)].map((v) => shown(c, v)));
  const bases = [...new Set(all.map((c) => c.b))];
  const axis = t(
    'difference from {0}, {1}',
    bases.length === 1 ? bases[0] : t('the base variant'),
    differenceUnit(metric),
  );
  const fr = frame(
    all.map((c) => c.a),
    ends,
    axis,
    width,
    true,
  );
  return {
    width,
    height: fr.height,
    title: t('Ablations'),
    summary: all
      .map((c) => t('{0}: {1} compared with {2}', c.a, signedDifference(metric, c.mean, c.from), c.b))
      .join('; '),
    shapes: [
      ...fr.shapes,
      ...all.flatMap((c, i) =>
        bar(
          ...([fr, i, shown(c, c.mean), c.half === undefined ? undefined : shown(c, c.half)] as const),
          bases.indexOf(c.b),
        ),
      ),
    ],
    table: {
      head: [t('variant'), t('compared with'), t('difference'), t('95% interval')],
      rows: all.map((c) => [c.a, c.b, signedDifference(metric, c.mean, c.from), interval(c, metric)]),
    },
  };
}

export const interval = (c: Comparison, metric: MetricName): string =>
  c.half === undefined
    ? '–'
    : [c.mean - c.half, c.mean + c.half].map((v) => signedDifference(metric, v, c.from)).join(' … ');

/** The time per step. */
export const stepTime = (section: Section, width: number): Figure | undefined =>
  costs(section, 'stepSeconds', 1000, t('Time per step'), t('milliseconds, median over the steps'), width);

export const peakMemory = (section: Section, width: number): Figure | undefined =>
  costs(section, 'memory', 1e-6, t('Peak memory'), t('MB of the trainer process'), width);

function costs(
  section: Section,
  what: 'stepSeconds' | 'memory',
  factor: number,
  title: string,
  unit: string,
  width: number,
): Figure | undefined {
  const known = section.groups.flatMap((g) => (g.chosen && g[what] ? [{ label: g.label, s: g[what] }] : []));
  if (known.length === 0) return undefined;
  // Half an interval wider than the bar is meaningless for a time, which cannot be negative: the standard deviation is
  // shown instead.
  const deviation = (s: Summary) => (s.deviation === undefined ? undefined : s.deviation * factor);
  const ends = known.map(({ s }) => s.mean * factor + (deviation(s) ?? 0));
  const fr = frame(
    known.map((k) => k.label),
    ends,
    unit,
    width,
    true,
  );
  return {
    width,
    height: fr.height,
    title,
    summary: known.map(({ label, s }) => t('{0}: {1}', label, shortNumber(s.mean * factor))).join('; '),
    shapes: [...fr.shapes, ...known.flatMap(({ s }, i) => bar(fr, i, s.mean * factor, deviation(s), 0))],
    table: {
      head: [t('group'), t('runs'), unit, t('standard deviation')],
      rows: known.map(({ label, s }) => {
        const d = deviation(s);
        return [label, String(s.n), shortNumber(s.mean * factor), d === undefined ? '–' : shortNumber(d)];
      }),
    },
  };
}

/** The means of a group whose runs have all forms. */
interface FormMeans {
  label: string;
  trained: number;
  fitted: number;
  paper: number;
  /** Standard deviations of the differences within each run. */
  deviations: { fitted?: number; paper?: number };
  same: boolean;
}

/** The adapter as trained beside its merged forms: the paper's Table 7. Undefined if no group has them. */
export function mergedForms(section: Section, metric: MetricName, width: number): Figure | undefined {
  const known = section.groups
    .filter((g) => g.chosen && !isHeadAlone(g))
    .flatMap((g) => formMeans(g, metric) ?? []);
  if (known.length === 0) return undefined;
  const f = factorOf(metric);
  const fr = frame(
    known.map((k) => k.label),
    known.flatMap((k) => [k.trained * f, k.fitted * f, k.paper * f]),
    metricTitle(metric),
    width,
    false,
    rangeOf(metric),
  );
  const shapes = known.flatMap((k, i) => {
    const [trained, fitted, paper] = [k.trained, k.fitted, k.paper].map((v) => fr.scale.at(v * f));
    return [
      line(trained!, fr.y(i), paper!, fr.y(i), 'whisker'),
      marker(5, paper!, fr.y(i), 7),
      marker(2, fitted!, fr.y(i), 5),
      marker(0, trained!, fr.y(i)),
    ];
  });
  const apart = (k: FormMeans, form: 'fitted' | 'paper') =>
    k.same
      ? [t('the same function'), '–']
      : [
          signedDifference(metric, k[form] - k.trained, k.trained, WITHIN),
          k.deviations[form] === undefined
            ? '–'
            : shownDifference(metric, k.deviations[form], k.trained, WITHIN),
        ];
  return {
    width,
    height: fr.height,
    title: t('As trained and merged into the weights'),
    summary: known
      .map((k) =>
        t(
          '{0}: {1} as trained, {2} with the linear fit, {3} with the paper’s merge',
          k.label,
          shown(metric, k.trained),
          shown(metric, k.fitted),
          shown(metric, k.paper),
        ),
      )
      .join('; '),
    shapes: [...fr.shapes, ...shapes, ...legend(fr.height)],
    table: {
      head: [
        ...[t('group'), t('as trained')],
        ...[t('linear fit'), t('fit − trained'), t('SD')],
        ...[t('paper’s merge'), t('merge − trained'), t('SD')],
      ],
      rows: known.map((k) => [
        ...[k.label, shown(metric, k.trained)],
        ...[shown(metric, k.fitted), ...apart(k, 'fitted')],
        ...[shown(metric, k.paper), ...apart(k, 'paper')],
      ]),
    },
  };
}

function legend(height: number): Shape[] {
  const y = height - 10;
  return [
    marker(0, 8, y),
    text(18, y + 4, t('as trained'), 'start', 'label'),
    marker(2, 100, y, 5),
    text(112, y + 4, t('linear fit'), 'start', 'label'),
    marker(5, 186, y, 6),
    text(198, y + 4, t('paper’s merge'), 'start', 'label'),
  ];
}

/** Undefined if a run's forms are not known. */
export function formMeans({ label, runs }: Group, metric: MetricName): FormMeans | undefined {
  const forms = runs.flatMap((r) => r.forms ?? []);
  if (forms.length < runs.length) return undefined;
  const values = (form: 'trained' | 'fitted' | 'paper') => forms.map((f) => metricValue(f[form], metric));
  const [trained, fitted, paper] = [values('trained'), values('fitted'), values('paper')];
  const deviation = (of: readonly number[]) => summarize(of.map((v, i) => v - trained[i]!)).deviation;
  return {
    label,
    trained: meanOf(trained),
    fitted: meanOf(fitted),
    paper: meanOf(paper),
    deviations: { fitted: deviation(fitted), paper: deviation(paper) },
    same: forms.every((f) => f.same),
  };
}

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
function bar(
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
