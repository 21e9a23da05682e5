import { html } from 'lit';
import { formatMetric } from '../../../src/experiment/metrics';
import { t } from '../../../src/base/l10n';
import { count } from '../../../src/base/number-text';
import type { TextModel } from '../model';
import type { ExampleCells } from '../part';

/** How well a text's tokens are predicted. */
export const textCells = ({ columns: c }: TextModel): ExampleCells => ({
  heads: html`<th role="columnheader" class="number">${t('Perplexity')}</th>
    <th role="columnheader" class="number">${t('Right tokens')}</th>`,
  cells: (example) =>
    html`<td role="cell" class="number">
        <span class="narrow">${t('perplexity')} </span
        >${formatMetric('perplexity', Math.exp(c.loss[example]))}
      </td>
      <td role="cell" class="number">
        ${t('{0} of {1}', count(c.right[example]), count(c.answered[example]))}<span class="narrow">
          ${t('tokens right')}</span
        >
      </td>`,
  text: (_, excerpt) => excerpt,
});
