import { html, nothing, type TemplateResult } from 'lit';
import { numberText } from '../../../src/base/number-text';
import { t } from '../../../src/base/l10n';
import type { CardContext } from '../answer-card';
import type { Numbers } from '../answers';
import type { Column } from '../columns';
import { measured } from '../format';
import { difference } from './difference';

/** The number, with what it should be, and beside that of the first column. */
export function numberAnswer(column: Column, prediction: Numbers, context: CardContext): TemplateResult {
  const { number } = prediction;
  const [name] = column.subject.facts!.labels;
  const { first, truth } = context;
  const other = column.key === first.key ? undefined : first.answer?.prediction?.number;
  return html`<div class="verdict">
      <p class="big"><strong>${numberText(number)}</strong> ${name}</p>
      ${truth ? html`<p class="judged">${judged(number, Number(truth.label))}</p>` : nothing}
      ${other === undefined ? nothing : compared(number, other, first.title)}
    </div>
    <div></div>
    <p class="note numbers">${measured(prediction)}</p>`;
}

/** How far it is from the validation row's number. */
function judged(number: number, truth: number): string {
  const error = difference(number, truth);
  if (error === 0) return t('✓ Exact.');
  const [is, off] = [numberText(truth), numberText(Math.abs(error))];
  return error > 0
    ? t('The true value is {0}: {1} too high.', is, off)
    : t('The true value is {0}: {1} too low.', is, off);
}

function compared(number: number, other: number, title: string): unknown {
  const more = difference(number, other);
  if (more === 0) return nothing;
  const by = numberText(Math.abs(more));
  return html`<p class="other">
    ${more > 0 ? t('▲ {0} more than {1}', by, title) : t('▼ {0} less than {1}', by, title)}
  </p>`;
}
