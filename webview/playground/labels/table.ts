import { html, nothing, svg, type TemplateResult } from 'lit';
import { cautiousPercent } from '../../../src/base/percent';
import { t } from '../../../src/base/l10n';
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
  const { probabilities, choices } = prediction;
  const labels = labelsOf(column);
  const other = column.key === key ? undefined : first;
  const rows = shown.map((i) => ({
    name: name(i),
    share: probabilities[i],
    ...(other && { before: chanceOf(other, labels[i]) }),
  }));
  return shareTable(rows, {
    name: t('Probabilities of {0}', nameOf(column)),
    item: choices ? t('Choice') : t('Label'),
    ...(other && { first: other.title }),
    several,
    threshold,
  });
}

interface ShareRow {
  name: unknown;
  /** Probability. */
  share: number;
  /** That of the first column, if it has it. */
  before?: number | undefined;
}

interface ShareWords {
  /** Read to screen readers. */
  name: string;
  /** What a row is. */
  item: string;
  /** The column that the others are compared with, in these. */
  first?: string;
  /** Whether there is something to compare with the first. */
  several: boolean;
  threshold?: number | undefined;
}

/** Probabilities with bars, and their differences from those of the first column. */
export function shareTable(
  rows: readonly ShareRow[],
  { name, item, first, several, threshold }: ShareWords,
): TemplateResult {
  return html`<table>
    <caption class="visually-hidden">
      ${name}
    </caption>
    <colgroup>
      <col class="label" />
      <col />
      <col class="share" />
      ${several ? html`<col class="difference" />` : nothing}
    </colgroup>
    <thead class="visually-hidden">
      <tr>
        <th scope="col">${item}</th>
        <td></td>
        <th scope="col">${t('Probability')}</th>
        ${first === undefined ? nothing : html`<th scope="col">${t('Difference from {0} in points', first)}</th>`}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            <th scope="row">${row.name}</th>
            <td class="bar">${bar(row.share, threshold)}</td>
            <td class="number">${cautiousPercent(row.share)}</td>
            ${several ? html`<td class="number">${first === undefined ? nothing : difference(row.share, row.before)}</td>` : nothing}
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
