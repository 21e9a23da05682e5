import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import { cautiousPercent } from '../../src/base/number-text';
import type { PlaySample } from '../../src/protocol/playground';
import type { PlaySpan, TextSpan } from '../../src/protocol/answers/spans';
import { legend, markedText, type MarkedSpan } from '../ui/marked-text';
import {
  measured,
  measuredText,
  nameOf,
  otherOf,
  sentence,
  type AnswerKind,
  type CardContext,
  type Column,
} from './answer-kind';

/** Spans in the table by default. */
const FEW_SPANS = 8;

/** Labeled spans of the text. */
export const spanAnswer: AnswerKind = {
  asked: 'typing',
  card,
  below(answers, { sample }) {
    const all = answers.flatMap((c) => spansOf(c) ?? []);
    const most = Math.max(...all.map(({ spans }) => spans.length));
    return {
      ...(all.some(({ asked }) => truthOf(asked, sample)) && { marks: legend() }),
      compared: t('≠: a span that {0} does not have. Times include only the model.', answers[0].title),
      ...(most > FEW_SPANS && {
        all: t('Show All {0} Spans', most),
        few: t('Show the First {0}', FEW_SPANS),
      }),
    };
  },
  text({ answer }, all) {
    const { prediction, asked = '' } = answer ?? {};
    if (!prediction?.spans) return undefined;
    return measuredText(spanLines(prediction.spans, asked, all ? Infinity : FEW_SPANS), prediction);
  },
  spoken(column) {
    const { prediction, asked = '' } = column.answer ?? {};
    if (!prediction?.spans) return undefined;
    const { spans } = prediction;
    const number = numberOf(spans);
    return sentence(column, spans.length === 0 ? number : t('{0}: {1}', number, listed(asked, spans)));
  },
  truth: ({ text, spans = [] }, place) =>
    spans.length === 0
      ? t('{0}. It has no spans.', place)
      : t('{0}. Its spans: {1}', place, listed(text, spans)),
};

/** The text that was asked with its spans marked, and a table of them. */
function card(column: Column, context: CardContext): TemplateResult | undefined {
  const { prediction, asked = '' } = column.answer ?? {};
  if (!prediction?.spans) return undefined;
  const { spans } = prediction;
  const truth = truthOf(asked, context.sample);
  const marked = markedSpans(spans, truth);
  const other = otherOf(column, context);
  const first = other && spansOf(other);
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
    ${measured(prediction)}`;
}

const numberOf = ({ length }: readonly TextSpan[]): string =>
  length === 0 ? t('no span') : length === 1 ? t('1 span') : t('{0} spans', length);

/** Compares the spans with those of the validation text. */
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

/** Says if the validation text has it. */
function sign(state: MarkedSpan['state']): unknown {
  if (state === 'predicted') return nothing;
  const found = state === 'found';
  return html`<span aria-hidden="true">${found ? '✓ ' : '✕ '}</span
    ><span class="visually-hidden">${found ? t('found:') : t('spurious:')} </span>`;
}

function spanLines(spans: readonly PlaySpan[], asked: string, most: number): string[] {
  if (spans.length === 0) return [numberOf(spans)];
  const lines = spans
    .slice(0, most)
    .map((s) => `${cautiousPercent(s.probability)}\t${s.label}\t${asked.slice(s.start, s.end)}`);
  return spans.length > most ? [...lines, t('and {0} more', spans.length - most)] : lines;
}

/** A column's spans and their text; undefined if it has no answer yet, or answers otherwise. */
function spansOf({ answer }: Column): { spans: PlaySpan[]; asked: string } | undefined {
  const { prediction, asked } = answer ?? {};
  return prediction?.spans && asked !== undefined ? { spans: prediction.spans, asked } : undefined;
}

/** The spans of the data in this text; undefined if it is not the validation text. */
const truthOf = (asked: string, sample: PlaySample | undefined): TextSpan[] | undefined =>
  sample?.text === asked ? sample.spans : undefined;

const isSame = (a: TextSpan, b: TextSpan): boolean =>
  a.start === b.start && a.end === b.end && a.label === b.label;

const isAmong = (span: TextSpan, others: readonly TextSpan[]): boolean =>
  others.some((other) => isSame(span, other));

/**
 * The spans as they are marked.
 *
 * @param truth the spans of the data; undefined if the text is not from there
 */
function markedSpans(spans: readonly PlaySpan[], truth: readonly TextSpan[] | undefined): MarkedSpan[] {
  if (!truth) return spans.map((s) => ({ ...s, state: 'predicted' }));
  return [
    ...spans.map((s): MarkedSpan => ({ ...s, state: isAmong(s, truth) ? 'found' : 'spurious' })),
    ...truth.filter((s) => !isAmong(s, spans)).map((s): MarkedSpan => ({ ...s, state: 'missed' })),
  ];
}

/** "Paris (LOC), Anna Miller (PER)" */
const listed = (text: string, spans: readonly TextSpan[]): string => {
  const named = spans
    .slice(0, FEW_SPANS)
    .map(({ start, end, label }) => `${text.slice(start, end)} (${label})`);
  return [...named, ...(spans.length > FEW_SPANS ? ['…'] : [])].join(', ');
};
