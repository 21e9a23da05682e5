import { html } from 'lit';
import { cautiousPercent } from '../../../src/base/percent';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../../src/protocol/prediction-columns';
import { legend, stateName } from '../../spans/marked-text';
import type { SpanState } from '../../spans/segments';
import { t } from '../../../src/base/l10n';
import type { LabelSetModel } from '../model';
import type { ExampleCells } from '../part';

/** In the order of a list. */
const STATES: readonly (readonly [number, SpanState])[] = [
  [ANSWER_MISSED, 'missed'],
  [ANSWER_SPURIOUS, 'spurious'],
  [ANSWER_FOUND, 'found'],
];

/** Each label that is in the data or predicted, the wrong ones first, with its probability. */
export const labelSetCells = (model: LabelSetModel): ExampleCells => ({
  heads: html`<th role="columnheader">${t('Labels')}</th>`,
  cells(example) {
    const parts = model.partsOf(example);
    const listed = STATES.flatMap(([found, state]) =>
      parts
        .filter((p) => p.found === found)
        .map(
          ({ label, probability }) =>
            html`<li>
              <span class="visually-hidden">${stateName(state)}: </span
              ><span class="name"><span class="mark ${state}">${model.labels[label]}</span></span>
              <span class="share">${cautiousPercent(probability)}</span>
            </li>`,
        ),
    );
    return html`<td role="cell" class="set">
      ${
        listed.length > 0
          ? html`<ul>
              ${listed}
            </ul>`
          : html`<i>${t('none, and none predicted')}</i>`
      }
    </td>`;
  },
  text: (_, excerpt) => excerpt,
  legend: legend(false),
});
