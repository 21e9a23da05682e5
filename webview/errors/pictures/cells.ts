import { html } from 'lit';
import { count } from '../../../src/base/number-text';
import { formatMetric } from '../../../src/experiment/metrics';
import { t } from '../../../src/base/l10n';
import type { PictureModel } from '../model';
import type { ExampleCells } from '../part';

/** How well the noise in an image is predicted. */
export const pictureCells = ({ columns: c }: PictureModel): ExampleCells => ({
  heads: html`<th role="columnheader" class="number">${t('Timestep')}</th>
    <th role="columnheader" class="number">${t('Loss')}</th>`,
  cells: (example) =>
    html`<td role="cell" class="number">
        <span class="narrow">${t('timestep')} </span>${count(c.timestep[example])}
      </td>
      <td role="cell" class="number">
        <span class="narrow">${t('loss')} </span>${formatMetric('loss', c.loss[example])}
      </td>`,
  text: (_, excerpt) => excerpt,
});
