import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import { segmentsOf, type MarkedSpan, type Segment, type SpanState } from './segments';

/** In the order of the legend. */
const STATES = ['found', 'missed', 'spurious', 'predicted'] as const;

export const stateName = (state: SpanState): string =>
  ({ found: t('Found'), missed: t('Missed'), spurious: t('Spurious'), predicted: t('Predicted') })[state];

/** A text with its spans underlined or struck, each with its type after it; a screen reader gets them as a list. */
export const markedText = (text: string, spans: readonly MarkedSpan[]): TemplateResult =>
  html`<span class="marked">${segmentsOf(text, spans).map(segment)}</span
    ><span class="visually-hidden">${spoken(text, spans)}</span>`;

const segment = ({ text, within, ending }: Segment): TemplateResult =>
  html`${within.reduceRight((inner, span) => html`<span class="mark ${span.state}" title=${titleOf(span)}>${inner}</span>`, html`${text}`)}${ending.map(tag)}`;

const titleOf = ({ state, label }: MarkedSpan): string => t('{0}: {1}', stateName(state), label);

const tag = ({ state, label }: Pick<MarkedSpan, 'state' | 'label'>): TemplateResult =>
  // No line breaks within the sign and the first word, or before it.
  html`<small class="tag ${state}" aria-hidden="true"
    >${state === 'spurious' ? '✕\u00a0' : nothing}${label}</small
  >`;

/** " Found: Paris (LOC). Missed: Peter Miller (PER)." */
function spoken(text: string, spans: readonly MarkedSpan[]): string {
  return STATES.map((state) => {
    const named = spans
      .filter((s) => s.state === state)
      .map(({ start, end, label }) => t('{0} ({1})', text.slice(start, end), label));
    return named.length === 0 ? '' : ` ${t('{0}: {1}.', stateName(state), named.join(', '))}`;
  }).join('');
}

/**
 * What the marks mean.
 *
 * @param tagged whether each has its type after it
 */
export function legend(tagged = true): TemplateResult {
  const meaning = [
    ['found', t('in the data and predicted')],
    ['missed', t('only in the data')],
    ['spurious', t('only predicted')],
  ] as const;
  return html`<ul class="legend" aria-label=${t('Marks')}>
    ${meaning.map(
      ([state, words]) =>
        html`<li>
          <span class="mark ${state}">${stateName(state)}</span
          >${tagged ? tag({ state, label: t('type') }) : nothing} ${words}
        </li>`,
    )}
  </ul>`;
}
