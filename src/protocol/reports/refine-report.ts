import { t } from '../../base/l10n';
import { count, durationText, estimateText } from '../../base/number-text';
import { changeText } from '../../experiment/shown-metrics';
import { formatMetric, metricInfo, metricValue } from '../../experiment/metrics';
import type { MetricDrop } from '../export';
import type { RefineCost, RefineLine, Refinement } from '../refinement';

/** The cost, before the first step. */
export const refineCostText = ({ steps, secondsPerStep, evaluations, seconds }: RefineCost): string =>
  evaluations === 1
    ? t(
        'Refining takes {0}: {1} steps of {2}, and an evaluation.',
        estimateText(seconds),
        count(steps),
        durationText(secondsPerStep),
      )
    : t(
        'Refining takes {0}: {1} steps of {2}, and {3} evaluations.',
        estimateText(seconds),
        count(steps),
        durationText(secondsPerStep),
        count(evaluations),
      );

export function refineProgress(line: RefineLine): string {
  switch (line.kind) {
    case 'refine-cost':
      return refineCostText(line);
    case 'refine-step':
      return t(
        'Refining: step {0} of {1}, {2} left…',
        count(line.step),
        count(line.of),
        durationText(line.secondsLeft),
      );
    case 'refine-evaluation': {
      const { metric, metrics } = line;
      const value = `${t(metricInfo(metric).label)} ${formatMetric(metric, metricValue(metrics, metric))}`;
      return line.step === 0
        ? t('Refining: the fit has validation {0}.', value)
        : t('Refining: step {0} has validation {1}.', count(line.step), value);
    }
  }
}

/** The exported files beside the adapter as trained. */
export function refinedText({ steps, of, best }: Refinement, { metric, loss }: MetricDrop): string {
  const done =
    best === 0
      ? t('None of {0} refining steps improved on the fit, so these files contain the fit.', count(steps))
      : t('The fit was refined for {0} steps; these files contain step {1}.', count(steps), count(best));
  const early = steps < of ? [t('Early stopping ended the {0} steps asked for.', count(of))] : [];
  // As it is written.
  const isReached = loss <= 0 || Number(loss.toFixed(2)) === 0;
  const reached = isReached
    ? t('The result reaches the adapter as trained.')
    : t('The result does not reach the adapter as trained: {0}.', changeText(metric, loss));
  return [done, ...early, reached].join(' ');
}
