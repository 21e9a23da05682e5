import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import { numberText } from '../../src/base/number-text';
import {
  measured,
  measuredText,
  otherOf,
  sentence,
  type AnswerKind,
  type CardContext,
  type Column,
} from './answer-kind';

/** Significant digits of a number that are shown; see numberText. */
const DIGITS = 4;

/** A number. */
export const numberAnswer: AnswerKind = {
  asked: 'typing',
  card,
  below: () => ({ compared: t('Times include only the model.') }),
  text({ answer, subject }) {
    const { prediction } = answer ?? {};
    if (prediction?.number === undefined) return undefined;
    return measuredText([`${numberText(prediction.number)}\t${subject.facts!.labels[0]}`], prediction);
  },
  spoken(column) {
    const number = column.answer?.prediction?.number;
    if (number === undefined) return undefined;
    return sentence(column, t('{0} {1}', column.subject.facts!.labels[0], numberText(number)));
  },
  truth: ({ label }, place) => t('{0}. Its number: {1}', place, label),
};

/** The number, compared with the true one and with that of the first column. */
function card(column: Column, context: CardContext): TemplateResult | undefined {
  const { prediction } = column.answer ?? {};
  if (prediction?.number === undefined) return undefined;
  const { number } = prediction;
  const [name] = column.subject.facts!.labels;
  const { first, truth } = context;
  const other = otherOf(column, context)?.answer?.prediction?.number;
  return html`<div class="verdict">
      <p class="big"><strong>${numberText(number)}</strong> ${name}</p>
      ${truth ? html`<p class="judged">${judged(number, Number(truth.label))}</p>` : nothing}
      ${other === undefined ? nothing : compared(number, other, first.title)}
    </div>
    <div></div>
    ${measured(prediction)}`;
}

/** The distance from the validation row's number. */
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

/** The difference of `a` and `b`, to the last decimal that is shown of them. */
export function difference(a: number, b: number): number {
  const size = Math.max(Math.abs(a), Math.abs(b));
  const whole = size === 0 ? 1 : Math.floor(Math.log10(size)) + 1;
  return Number((a - b).toFixed(Math.min(Math.max(DIGITS - whole, 0), 100)));
}
