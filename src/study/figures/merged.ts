import { t } from '../../base/l10n';

import { metricValue, type MetricName } from '../../experiment/metrics';
import { isHeadAlone } from '../../experiment/methods';
import type { Group } from '../groups';
import { factorOf, metricTitle, rangeOf, shown, shownDifference, signedDifference, WITHIN } from '../metric';
import { meanOf, summarize } from '../statistics/summary';
import type { Section } from '../study';
import { line, marker, text, type Figure, type Shape } from './figure';
import { frame } from './rows';

/** A group whose runs have both forms. */
interface Both {
  label: string;
  trained: number;
  merged: number;
  /** For the differences within each run. */
  deviation?: number;
  same: boolean;
}

/** The adapter as trained beside its merged form: the paper's Table 7. Undefined if no group has both. */
export function mergedForms(section: Section, metric: MetricName, width: number): Figure | undefined {
  const known = section.groups
    .filter((g) => g.chosen && !isHeadAlone(g))
    .flatMap((g) => bothOf(g, metric) ?? []);
  if (known.length === 0) return undefined;
  const f = factorOf(metric);
  const fr = frame(
    known.map((k) => k.label),
    known.flatMap((k) => [k.trained * f, k.merged * f]),
    metricTitle(metric),
    width,
    false,
    rangeOf(metric),
  );
  const shapes = known.flatMap((k, i) => {
    const [from, to] = [fr.scale.at(k.trained * f), fr.scale.at(k.merged * f)];
    return [line(from, fr.y(i), to, fr.y(i), 'whisker'), marker(5, to, fr.y(i), 7), marker(0, from, fr.y(i))];
  });
  return {
    width,
    height: fr.height,
    title: t('As trained and merged into the weights'),
    summary: known
      .map((k) =>
        t('{0}: {1} as trained, {2} merged', k.label, shown(metric, k.trained), shown(metric, k.merged)),
      )
      .join('; '),
    shapes: [...fr.shapes, ...shapes, ...legend(fr.height)],
    table: {
      head: [t('group'), t('as trained'), t('merged'), t('merged − trained'), t('standard deviation')],
      rows: known.map((k) => [
        k.label,
        shown(metric, k.trained),
        shown(metric, k.merged),
        k.same ? t('the same function') : signedDifference(metric, k.merged - k.trained, k.trained, WITHIN),
        k.same || k.deviation === undefined ? '–' : shownDifference(metric, k.deviation, k.trained, WITHIN),
      ]),
    },
  };
}

function legend(height: number): Shape[] {
  const y = height - 10;
  return [
    marker(0, 8, y),
    text(18, y + 4, t('as trained'), 'start', 'label'),
    marker(5, 100, y, 6),
    text(112, y + 4, t('merged'), 'start', 'label'),
  ];
}

/** Undefined if a run's forms are not known. */
export function bothOf({ label, runs }: Group, metric: MetricName): Both | undefined {
  const forms = runs.flatMap((r) => r.forms ?? []);
  if (forms.length < runs.length) return undefined;
  const trained = forms.map((f) => metricValue(f.trained, metric));
  const merged = forms.map((f) => metricValue(f.merged, metric));
  const { deviation } = summarize(merged.map((m, i) => m - trained[i]));
  return {
    label,
    trained: meanOf(trained),
    merged: meanOf(merged),
    deviation,
    same: forms.every((f) => f.same),
  };
}
