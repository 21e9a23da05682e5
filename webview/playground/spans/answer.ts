import { html, nothing, type TemplateResult } from 'lit';
import { cautiousPercent } from '../../../src/base/percent';
import type { PlaySpan, TextSpan } from '../../../src/protocol/playground';
import { markedText } from '../../spans/marked-text';
import type { MarkedSpan } from '../../spans/segments';
import { t } from '../../../src/base/l10n';
import type { Spans } from '../answers';
import type { CardContext } from '../answer-card';
import { nameOf, type Column } from '../columns';
import { measured } from '../format';
import { isAmong, markedSpans, spansOf, truthOf } from './spans';

/** Spans in the table by default. */
export const FEW_SPANS = 8;

/** The text that was asked with its spans marked, and a table of them. */
export function spanAnswer(column: Column, prediction: Spans, context: CardContext): TemplateResult {
  const { spans } = prediction;
  const { asked = '' } = column.answer!;
  const { sample } = context;
  const truth = truthOf(asked, sample);
  const marked = markedSpans(spans, truth);
  const first = column.key === context.first.key ? undefined : spansOf(context.first);
  // Another question's spans are not compared.
  const others = first?.asked === asked ? first.spans : undefined;
  return html`<div class="verdict">
      <p><strong>${numberOf(spans)}</strong></p>
      ${truth ? html`<p class="judged">${judged(marked, truth)}</p>` : nothing}
      ${others ? disagreement(spans, others, context.first.title) : nothing}
      <div class="asked" tabindex="0" role="group" aria-label=${t('Text with its spans')}>
        ${markedText(asked, marked)}
      </div>
    </div>
    ${spans.length === 0 ? html`<div></div>` : table(column, spans, asked, marked, others, context)}
    <p class="note numbers">${measured(prediction)}</p>`;
}

export const numberOf = ({ length }: readonly TextSpan[]): string =>
  length === 0 ? t('no span') : length === 1 ? t('1 span') : t('{0} spans', length);

/** Whether these are the spans of the validation text. */
function judged(marked: readonly MarkedSpan[], { length }: readonly TextSpan[]): string {
  const number = (state: MarkedSpan['state']) => marked.filter((s) => s.state === state).length;
  const [found, spurious] = [number('found'), number('spurious')];
  if (length === 0) return spurious === 0 ? t('✓ It has none.') : t('✗ It has none.');
  if (found === length && spurious === 0) return t('✓ These are its spans.');
  return t('✗ {0} of its {1} spans found, {2} spurious.', found, length, spurious);
}

function disagreement(spans: readonly PlaySpan[], others: readonly PlaySpan[], title: string): unknown {
  const more = spans.filter((s) => !isAmong(s, others)).length;
  const fewer = others.filter((s) => !isAmong(s, spans)).length;
  if (more + fewer === 0) return nothing;
  return html`<p class="other">${t('≠ {0} not in {1}, {2} only in {1}', more, title, fewer)}</p>`;
}

function table(
  column: Column,
  spans: readonly PlaySpan[],
  asked: string,
  marked: readonly MarkedSpan[],
  others: readonly PlaySpan[] | undefined,
  { all, several, first }: CardContext,
): TemplateResult {
  const shown = all ? spans : spans.slice(0, FEW_SPANS);
  return html`<table class="spans">
    <caption class="visually-hidden">
      ${t('Spans of {0}', nameOf(column))}
    </caption>
    <colgroup>
      <col />
      <col class="type" />
      <col class="share" />
      ${several ? html`<col class="unlike" />` : nothing}
    </colgroup>
    <thead class="visually-hidden">
      <tr>
        <th scope="col">${t('Span')}</th>
        <th scope="col">${t('Label')}</th>
        <th scope="col">${t('Probability')}</th>
        ${several ? html`<th scope="col">${t('Not in {0}', first.title)}</th>` : nothing}
      </tr>
    </thead>
    <tbody>
      ${shown.map(
        (span, i) =>
          html`<tr>
            <th scope="row">${sign(marked[i].state)}${asked.slice(span.start, span.end)}</th>
            <td>${span.label}</td>
            <td class="number">${cautiousPercent(span.probability)}</td>
            ${several ? html`<td class="number">${others && !isAmong(span, others) ? '≠' : nothing}</td>` : nothing}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** Whether the validation text has it. */
function sign(state: MarkedSpan['state']): unknown {
  if (state === 'predicted') return nothing;
  const found = state === 'found';
  return html`<span aria-hidden="true">${found ? '✓ ' : '✕ '}</span
    ><span class="visually-hidden">${found ? t('found:') : t('spurious:')} </span>`;
}
