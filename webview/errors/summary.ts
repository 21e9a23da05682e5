import { html } from 'lit';
import { formatMetric, metricInfo, metricsIn, metricValue } from '../../src/experiment/metrics';
import { t } from '../ui/l10n';
import type { Model } from './model';
import type { AnswerPart } from './part';

/** How good the answers are, in sentences, and what is most often wrong. */
export function summary(model: Model, { told, worst }: AnswerPart) {
  return html`<p class="summary">${told} ${numbers(model)}</p>
    ${worst}`;
}

/** "Loss 0.4312, F1 61.2%." The share of right texts is in the sentence before. */
function numbers({ metrics }: Model): string {
  const names = metricsIn(metrics).filter((m) => metricInfo(m).meanOf !== 'correct');
  const [first, ...rest] = names
    .map((m) => t('{0} {1}', t(metricInfo(m).label), formatMetric(m, metricValue(metrics, m))))
    .join(', ');
  return `${first.toUpperCase()}${rest.join('')}.`;
}
