import { html, nothing } from 'lit';
import { formatMetric, metricInfo, metricValue } from '../../src/experiment/metrics';
import { shownMetrics } from '../../src/experiment/shown-metrics';
import { absentWords } from '../../src/protocol/absent-labels';
import { t } from '../../src/base/l10n';
import type { Model } from './model';
import type { AnswerPart } from './part';

/** How good the answers are, in sentences, and what is most often wrong. */
export function summary(model: Model, { told, worst }: AnswerPart) {
  const absent = absentWords(model.metrics);
  return html`<p class="summary">${told} ${numbers(model)}</p>
    ${absent === undefined ? nothing : html`<p class="note" data-fact="absent">${absent}</p>`} ${worst}`;
}

/** "Loss 0.4312, F1 61.2%." The share of right texts is in the sentence before. */
function numbers({ metrics }: Model): string {
  const names = shownMetrics(undefined, metrics).filter((m) => metricInfo(m).meanOf !== 'correct');
  const [first, ...rest] = names
    .map((m) => t('{0} {1}', t(metricInfo(m).label), formatMetric(m, metricValue(metrics, m))))
    .join(', ');
  return `${first.toUpperCase()}${rest.join('')}.`;
}
