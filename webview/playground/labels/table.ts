import { html, nothing, svg, type TemplateResult } from 'lit';
import { cautiousPercent } from '../../../src/base/percent';
import { t } from '../../ui/l10n';
import type { CardContext } from '../answer-card';
import type { Shares } from '../answers';
import { labelsOf, nameOf, type Column } from '../columns';
import { chanceOf, difference } from './shares';

/**
 * The probabilities of labels, beside those of the first column.
 *
 * @param shown labels, in order
 * @param name a label with its marks
 * @param threshold above which a label is predicted, if each is predicted on its own
 */
export function labelTable(
  column: Column,
  prediction: Shares,
  shown: readonly number[],
  { first: { key }, first, several }: CardContext,
  name: (label: number) => unknown,
  threshold?: number,
): TemplateResult {
  const { probabilities } = prediction;
  const labels = labelsOf(column);
  const other = column.key === key ? undefined : first;
  return html`<table>
    <caption class="visually-hidden">
      ${t('Probabilities of {0}', nameOf(column))}
    </caption>
    <colgroup>
      <col class="label" />
      <col />
      <col class="share" />
      ${several ? html`<col class="difference" />` : nothing}
    </colgroup>
    <thead class="visually-hidden">
      <tr>
        <th scope="col">${prediction.choices ? t('Choice') : t('Label')}</th>
        <td></td>
        <th scope="col">${t('Probability')}</th>
        ${other ? html`<th scope="col">${t('Points more or less than {0}', other.title)}</th>` : nothing}
      </tr>
    </thead>
    <tbody>
      ${shown.map(
        (i) =>
          html`<tr>
            <th scope="row">${name(i)}</th>
            <td class="bar">${bar(probabilities[i], threshold)}</td>
            <td class="number">${cautiousPercent(probabilities[i])}</td>
            ${several ? html`<td class="number">${other ? difference(probabilities[i], chanceOf(other, labels[i])) : nothing}</td>` : nothing}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

const bar = (share: number, threshold: number | undefined): TemplateResult =>
  html`<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<rect class="ground" width="100" height="10" /><rect class="share" width=${100 * share} height="10" />`}
    ${threshold === undefined ? nothing : svg`<line class="threshold" x1=${100 * threshold} y1="0" x2=${100 * threshold} y2="10" />`}
  </svg>`;
