import { html, nothing } from 'lit';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../../src/protocol/prediction-columns';
import { legend, markedText } from '../../spans/marked-text';
import type { MarkedSpan } from '../../spans/segments';
import { t } from '../../../src/base/l10n';
import { count } from '../../../src/base/number-text';
import type { SpanModel } from '../model';
import type { ExampleCells } from '../part';

const STATES: Record<number, MarkedSpan['state']> = {
  [ANSWER_FOUND]: 'found',
  [ANSWER_MISSED]: 'missed',
  [ANSWER_SPURIOUS]: 'spurious',
};
/** The end of a text that was cut; see excerpts.ts. */
const CUT = '…';

/** How many spans are wrong, and the text with all of them marked. */
export function spanCells(model: SpanModel): ExampleCells {
  const number = (example: number, found: number) =>
    model.partsOf(example).filter((s) => s.found === found).length;
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
      const all = model.partsOf(example);
      const shown = all.filter((s) => s.start < end);
      const marked = shown.map((s) => ({ ...s, label: model.labels[s.label], state: STATES[s.found] }));
      const rest = all.length - shown.length;
      return html`${markedText(excerpt, marked)}${rest > 0 ? html` <small class="rest">${t('{0} more in the rest', count(rest))}</small>` : nothing}`;
    },
    legend: legend(),
  };
}
