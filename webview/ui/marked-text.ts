import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';

/** In the data and predicted, in the data alone, predicted alone, or predicted where the data say nothing. */
export type SpanState = 'found' | 'missed' | 'spurious' | 'predicted';

export interface MarkedSpan {
  /** In UTF-16 units of the text; the end is exclusive. */
  start: number;
  end: number;
  label: string;
  state: SpanState;
}

/** A part of a text that lies within the same spans from its beginning to its end. */
export interface Segment {
  text: string;
  /** Outermost first: what is in the data around what is predicted. */
  within: MarkedSpan[];
  /** The spans among them that end here. */
  ending: MarkedSpan[];
}

/** True and predicted spans overlap where only a boundary is wrong, so elements for whole spans could not be nested. */
export function segmentsOf(text: string, spans: readonly MarkedSpan[]): Segment[] {
  const inside = spans
    .filter(({ start, end }) => start < Math.min(end, text.length))
    .map((s) => ({ ...s, end: Math.min(s.end, text.length) }))
    .sort((a, b) => a.start - b.start);
  const edges = new Set([0, text.length, ...inside.flatMap(({ start, end }) => [start, end])]);
  const sorted = [...edges].sort((a, b) => a - b);
  let within: MarkedSpan[] = [];
  let next = 0;
  return sorted.slice(1).map((to, i): Segment => {
    const from = sorted[i];
    within = within.filter((s) => s.end > from);
    while (next < inside.length && inside[next].start === from) within.push(inside[next++]);
    const layers = [...within].sort((a, b) => Number(isTrue(b)) - Number(isTrue(a)));
    return { text: text.slice(from, to), within: layers, ending: layers.filter((s) => s.end === to) };
  });
}

const isTrue = ({ state }: MarkedSpan): boolean => state === 'found' || state === 'missed';

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
 * Explains the marks.
 *
 * @param tagged true if each has its type after it
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
