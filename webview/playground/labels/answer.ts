import { html, nothing, svg, type TemplateResult } from 'lit';
import { cautiousPercent } from '../../../src/base/percent';
import { t } from '../../ui/l10n';
import type { CardContext } from '../answer-card';
import { nameOf, type Column } from '../columns';
import { measured } from '../format';
import type { Shares } from '../answers';
import { chanceOf, difference, ranked, sharesOf } from './shares';

/** Labels shown by default. */
export const FEW_LABELS = 5;

/** The most likely label, and the probabilities of all of them. */
export function labelAnswer(column: Column, prediction: Shares, context: CardContext): TemplateResult {
  const labels = column.subject.facts!.labels;
  const order = ranked(prediction);
  const shown = context.all ? order : order.slice(0, FEW_LABELS);
  const first = column.key === context.first.key ? undefined : context.first;
  const best = labels[order[0]];
  return html`<div class="verdict">
      <p><strong>${best}</strong> ${cautiousPercent(prediction.probabilities[order[0]])}</p>
      ${context.truth === undefined ? nothing : rightOrWrong(best, context.truth, chanceOf(column, context.truth))}
      ${first ? disagreement(first, best) : nothing}
    </div>
    <table>
      <caption class="visually-hidden">
        ${t('Probabilities of {0}', nameOf(column))}
      </caption>
      <colgroup>
        <col class="label" />
        <col />
        <col class="share" />
        ${context.several ? html`<col class="difference" />` : nothing}
      </colgroup>
      <thead class="visually-hidden">
        <tr>
          <th scope="col">${t('Label')}</th>
          <td></td>
          <th scope="col">${t('Probability')}</th>
          ${first ? html`<th scope="col">${t('Points more or less than {0}', first.title)}</th>` : nothing}
        </tr>
      </thead>
      <tbody>
        ${shown.map((i) =>
          labelRow(
            labels[i],
            prediction.probabilities[i],
            first,
            context.several,
            labels[i] === context.truth,
          ),
        )}
      </tbody>
    </table>
    <p class="note numbers">${measured(prediction)}</p>`;
}

function labelRow(
  label: string,
  share: number,
  first: Column | undefined,
  several: boolean,
  isTruth: boolean,
): TemplateResult {
  return html`<tr>
    <th scope="row">
      ${isTruth ? html`<span aria-hidden="true">✓ </span>` : nothing}${label}${
        isTruth ? html`<span class="visually-hidden">${t(', its label')}</span>` : nothing
      }
    </th>
    <td class="bar">
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        ${svg`<rect class="ground" width="100" height="10" /><rect class="share" width=${100 * share} height="10" />`}
      </svg>
    </td>
    <td class="number">${cautiousPercent(share)}</td>
    ${several ? html`<td class="number">${first ? difference(share, chanceOf(first, label)) : nothing}</td>` : nothing}
  </tr>`;
}

/** Whether the most likely label is the validation text's. */
function rightOrWrong(best: string, truth: string, chance: number | undefined): TemplateResult {
  if (best === truth) return html`<p class="judged">${t('✓ That is its label.')}</p>`;
  return html`<p class="judged">
    ${
      chance === undefined
        ? t('✗ Its label is {0}, which is none of these.', truth)
        : t('✗ Its label is {0}: {1}.', truth, cautiousPercent(chance))
    }
  </p>`;
}

function disagreement(first: Column, best: string): unknown {
  const shares = sharesOf(first);
  if (!shares) return nothing;
  const other = first.subject.facts!.labels[ranked(shares)[0]];
  return other === best ? nothing : html`<span class="other">${t('≠ {0} of {1}', other, first.title)}</span>`;
}
