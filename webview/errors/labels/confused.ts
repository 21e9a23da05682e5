import { html, nothing } from 'lit';
import { t } from '../../../src/base/l10n';
import { count } from '../../../src/base/number-text';
import type { LabelModel } from '../model';

/** Number of confused pairs that are named. */
const NAMED = 3;

/** The most frequent confusions. */
export function confusedMost(
  { labels, pairs }: LabelModel,
  choose: (label: number, predicted: number) => void,
) {
  if (pairs.length === 0) return nothing;
  return html`<p class="pairs">
    ${t('Most often confused:')}
    ${pairs
      .slice(0, NAMED)
      .map(
        (p, i) =>
          html`${i > 0 ? ', ' : nothing}<button class="link" @click=${() => choose(p.label, p.predicted)}>
              ${t('{0} predicted as {1}', labels[p.label], labels[p.predicted])}</button
            >${t(' ({0})', count(p.count))}`,
      )}
  </p>`;
}
