import { shortNumber } from '../../base/number-text';
import { t } from '../../base/l10n';
import { differenceOf } from '../../experiment/metric-difference';
import type { MetricName } from '../../experiment/metrics';
import type { Comparison } from '../compare';
import { differenceUnit, signedDifference } from '../metric';
import type { Section } from '../study';
import type { Summary } from '../statistics/summary';
import { type Figure } from './figure';
import { bar, frame } from './rows';

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
