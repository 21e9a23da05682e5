import { formatMetric, type Metrics } from '../experiment/metrics';
import { own } from '../base/names';
import { t } from '../base/l10n';

/** Labels that no evaluated example has, and that count as an F1 of 0 in macro F1, as in scikit-learn. */
export interface AbsentLabels {
  labels: { label: string; predicted: number }[];
  /** Over the other labels alone. */
  macroF1: number;
}

/** The absent labels as a part of an evaluation's metrics. */
export const withAbsent = (absentLabels: AbsentLabels | undefined) => absentLabels && { absentLabels };

/** Labels that are named; any others are only counted. */
const MOST_NAMED = 3;

/** From the metrics of an evaluation, which may come from any file; undefined if there are none. */
function absentOf(metrics: Metrics): AbsentLabels | undefined {
  const found = own(metrics as Record<string, unknown>, 'absentLabels') as Partial<AbsentLabels> | null;
  const labels = Array.isArray(found?.labels) ? found.labels : [];
  const known = labels.every((l) => typeof l?.label === 'string' && typeof l.predicted === 'number');
  return labels.length > 0 && known && typeof found?.macroF1 === 'number'
    ? (found as AbsentLabels)
    : undefined;
}

/** The reason why macro F1 is lower than that of the labels in the data, as sentences; undefined if it is not. */
export function absentWords(metrics: Metrics): string | undefined {
  const absent = absentOf(metrics);
  if (!absent || metrics.macroF1 === undefined) return undefined;
  const { labels, macroF1 } = absent;
  const times = labels.reduce((sum, { predicted }) => sum + predicted, 0);
  const [now, without] = [metrics.macroF1, macroF1].map((value) => formatMetric('macroF1', value));
  if (labels.length === 1) {
    const [{ label }] = labels;
    const what =
      times === 0
        ? t('No example has the label "{0}".', label)
        : times === 1
          ? t('No example has the label "{0}", which was predicted once.', label)
          : t('No example has the label "{0}", which was predicted {1} times.', label, times);
    return `${what} ${t('Its F1 is 0, which makes macro F1, the mean over labels, {0} instead of {1}.', now, without)}`;
  }
  const names = labels.slice(0, MOST_NAMED).map(({ label }) => `"${label}"`);
  const rest = labels.length - names.length;
  const list = [...names, ...(rest > 0 ? [t('{0} more', rest)] : [])].join(', ');
  const what =
    times === 0
      ? t('No example has these labels: {0}.', list)
      : t('No example has these labels, which were predicted {0} times: {1}.', times, list);
  return `${what} ${t('Their F1 is 0, which makes macro F1, the mean over labels, {0} instead of {1}.', now, without)}`;
}
