import { html, nothing } from 'lit';
import { formatMetric } from '../../src/experiment/metrics';
import { t } from '../ui/l10n';
import { cautiousPercent } from '../../src/base/percent';
import { count, loss } from './format';
import type { Model } from './model';

/** Number of confused pairs that are named. */
const NAMED = 3;

/** The accuracy in a sentence, and the most frequent confusions. */
export function summary(model: Model, choose: (label: number, predicted: number) => void) {
  const { labels, pairs, metrics, examples, right } = model;
  const numbers = t(
    'Loss {0}, F1 {1}, MCC {2}.',
    loss(metrics.loss),
    cautiousPercent(metricValue(metrics, 'f1')),
    formatMetric('matthews', metricValue(metrics, 'matthews')),
  );
  const sentence =
    right === examples
      ? t('The model gets all {0} validation texts right.', count(examples))
      : t(
          'The model gets {0} of {1} validation texts right ({2}), and {3} wrong.',
          count(right),
          count(examples),
          cautiousPercent(right / examples),
          count(examples - right),
        );
  return html`<p class="summary">${sentence} ${numbers}</p>
    ${
      pairs.length > 0
        ? html`<p class="pairs">
            ${t('Most often confused:')}
            ${pairs
              .slice(0, NAMED)
              .map(
                (p, i) =>
                  html`${i > 0 ? ', ' : nothing}<button
                      class="link"
                      @click=${() => choose(p.label, p.predicted)}
                    >
                      ${t('{0} taken for {1}', labels[p.label], labels[p.predicted])}</button
                    >${t(' ({0})', count(p.count))}`,
              )}
          </p>`
        : nothing
    }`;
}
