import { html } from 'lit';
import { formatMetric, metricInfo, metricsIn, metricValue } from '../../src/experiment/metrics';
import { t } from '../ui/l10n';
import { cautiousPercent } from '../../src/base/percent';
import { count } from './format';
import type { Model } from './model';
import type { AnswerPart } from './part';

/** How much is right, in sentences, and what is most often wrong. */
export function summary(model: Model, { told, worst }: AnswerPart) {
  return html`<p class="summary">${[sentence(model), told, numbers(model)].filter(Boolean).join(' ')}</p>
    ${worst}`;
}

const sentence = ({ examples, right }: Model): string =>
  right === examples
    ? t('The model gets all {0} validation texts right.', count(examples))
    : t(
        'The model gets {0} of {1} validation texts right ({2}), and {3} wrong.',
        count(right),
        count(examples),
        cautiousPercent(right / examples),
        count(examples - right),
      );

/** "Loss 0.4312, F1 61.2 %." The share of right texts is in the sentence before. */
function numbers({ metrics }: Model): string {
  const names = metricsIn(metrics).filter((m) => metricInfo(m).meanOf !== 'correct');
  const [first, ...rest] = names
    .map((m) => t('{0} {1}', t(metricInfo(m).label), formatMetric(m, metricValue(metrics, m))))
    .join(', ');
  return `${first.toUpperCase()}${rest.join('')}.`;
}
