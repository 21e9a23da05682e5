import { html, nothing } from 'lit';
import { t } from '../../src/base/l10n';
import { count } from '../../src/base/number-text';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../src/protocol/answers/found';
import { FEW } from '../../src/protocol/answers/slices';
import { spansByExample, type ExampleSpan, type SpanAnswers } from '../../src/protocol/answers/spans';
import { legend, markedText, type MarkedSpan } from '../ui/marked-text';
import type { ExampleCells, ShowAnswers } from './answer-part';
import { foundAnswers, type FoundWords } from './found-answers';

const STATES: Record<number, MarkedSpan['state']> = {
  [ANSWER_FOUND]: 'found',
  [ANSWER_MISSED]: 'missed',
  [ANSWER_SPURIOUS]: 'spurious',
};
/** The end of a text that was cut; see excerpts.ts. */
const CUT = '…';

/** Labeled spans: the counts of found, missed and spurious by type, and the texts with all of them marked. */
export const spanAnswers: ShowAnswers<SpanAnswers> = (model, { labels, spans }) => {
  const { part, partsOf } = foundAnswers(model, spans, spansByExample(spans), words());
  const { columns: c } = model;
  /** "0-5:PER; 11-16:LOC" */
  const listed = (example: number, without: number) =>
    partsOf(example)
      .filter((s) => s.found !== without)
      .map((s) => `${s.start}-${s.end}:${labels[s.label]}`)
      .join('; ');
  return (state, act) => ({
    ...part(state, act),
    examples: spanCells(labels, partsOf),
    csv: {
      names: ['expected', 'predicted', 'loss', 'margin'],
      cells: (i) => [listed(i, ANSWER_SPURIOUS), listed(i, ANSWER_MISSED), c.loss[i], c.margin[i]],
    },
  });
};

const words = (): FoundWords => ({
  told: (...counts) =>
    t('The model found {1} of {0} spans and missed {2}; {3} predictions were spurious.', ...counts),
  title: t('By type, worst first'),
  note: t(
    'A span is found if its words and its type are right. A text is right if none of its spans is missed or spurious.',
  ),
  name: t('Type'),
  none: t('No text has a span, and none was predicted.'),
  few: t('With fewer than {0} spans, these shares are unreliable.', FEW),
  showAll: (count) => t('Show all {0} types', count),
  chip: (name) => t('Type: {0}', name),
});

/** The numbers of wrong spans, and the text with all of them marked. */
function spanCells(
  labels: readonly string[],
  partsOf: (example: number) => readonly ExampleSpan[],
): ExampleCells {
  const number = (example: number, found: number) => partsOf(example).filter((s) => s.found === found).length;
  return {
    heads: html`<th role="columnheader" class="number">${t('Missed')}</th>
      <th role="columnheader" class="number">${t('Spurious')}</th>`,
    cells: (example) =>
      html`<td role="cell" class="number">
          ${count(number(example, ANSWER_MISSED))}<span class="narrow"> ${t('missed')}</span>
        </td>
        <td role="cell" class="number">
          ${count(number(example, ANSWER_SPURIOUS))}<span class="narrow"> ${t('spurious')}</span>
        </td>`,
    text(example, excerpt) {
      const end = excerpt.endsWith(CUT) ? excerpt.length - CUT.length : excerpt.length;
      const all = partsOf(example);
      const shown = all.filter((s) => s.start < end);
      const marked = shown.map((s) => ({ ...s, label: labels[s.label], state: STATES[s.found] }));
      const rest = all.length - shown.length;
      return html`${markedText(excerpt, marked)}${rest > 0 ? html` <small class="rest">${t('{0} more in the rest of the text', count(rest))}</small>` : nothing}`;
    },
    legend: legend(),
  };
}
