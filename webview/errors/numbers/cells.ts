import { html } from 'lit';
import { t } from '../../../src/base/l10n';
import type { NumberModel } from '../model';
import type { ExampleCells } from '../part';

/** The true and the predicted number, and by how much it is too high. */
export const numberCells = ({ columns: c, errors, format }: NumberModel): ExampleCells => ({
  heads: html`<th role="columnheader" class="number">${t('True')}</th>
    <th role="columnheader" class="number">${t('Predicted')}</th>
    <th role="columnheader" class="number">${t('Error')}</th>`,
  cells: (example) =>
    html`<td role="cell" class="number">
        <span class="narrow">${t('true')} </span>${format.plain(c.value[example])}
      </td>
      <td role="cell" class="number">
        <span class="narrow">${t('predicted')} </span>${format.plain(c.predicted[example])}
      </td>
      <td role="cell" class="number">
        <span class="narrow">${t('error')} </span>${format.signed(errors[example])}
      </td>`,
  text: (_, excerpt) => excerpt,
});
