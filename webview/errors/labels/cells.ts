import { html } from 'lit';
import { cautiousPercent } from '../../../src/base/percent';
import { t } from '../../../src/base/l10n';
import type { LabelModel } from '../model';
import type { ExampleCells } from '../part';

/** The true and the predicted label, with their probabilities. */
export const labelCells = ({ labels, columns: c, wrong }: LabelModel): ExampleCells => ({
  heads: html`<th role="columnheader">${t('True label')}</th>
    <th role="columnheader" class="number">${t('Probability')}</th>
    <th role="columnheader">${t('Predicted')}</th>
    <th role="columnheader" class="number">${t('Probability')}</th>`,
  cells: (example) =>
    html`<td role="cell"><span class="name">${labels[c.label[example]]}</span></td>
      <td role="cell" class="number">${cautiousPercent(c.truth[example])}</td>
      <td role="cell">
        <span class="name"
          ><span aria-hidden="true">${wrong[example] ? '✕' : '✓'}</span
          ><span class="visually-hidden">${wrong[example] ? t('wrong:') : t('right:')}</span>
          ${labels[c.predicted[example]]}</span
        >
      </td>
      <td role="cell" class="number">${cautiousPercent(c.probability[example])}</td>`,
  text: (_, excerpt) => excerpt,
});
