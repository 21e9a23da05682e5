import { html, nothing, type TemplateResult } from 'lit';
import { cautiousPercent } from '../../../src/base/percent';
import type { AnswerShape } from '../../../src/experiment/tasks/kind';
import { t } from '../../../src/base/l10n';
import type { CardContext } from '../answer-card';
import { labelsOf, type Column } from '../columns';
import { measured } from '../format';
import type { Shares } from '../answers';
import { chanceOf, ranked, sharesOf } from './shares';
import { labelTable } from './table';

/** Labels shown by default. */
export const FEW_LABELS = 5;

/** The most likely label, and the probabilities of all of them. */
export function labelAnswer(column: Column, prediction: Shares, context: CardContext): TemplateResult {
  const labels = labelsOf(column);
  const order = ranked(prediction);
  const shown = context.all ? order : order.slice(0, FEW_LABELS);
  const first = column.key === context.first.key ? undefined : context.first;
  const best = labels[order[0]];
  const truth = context.truth?.label;
  return html`<div class="verdict">
      <p><strong>${best}</strong> ${cautiousPercent(prediction.probabilities[order[0]])}</p>
      ${truth === undefined ? nothing : rightOrWrong(best, truth, chanceOf(column, truth), column.subject.facts!.answer)}
      ${first ? disagreement(first, best) : nothing}
    </div>
    ${labelTable(column, prediction, shown, context, (i) => labelName(labels[i], labels[i] === truth))}
    <p class="note numbers">${measured(prediction)}</p>`;
}

const labelName = (label: string, isTruth: boolean): TemplateResult =>
  html`${isTruth ? html`<span aria-hidden="true">✓ </span>` : nothing}${label}${
    isTruth ? html`<span class="visually-hidden">${t(', its label')}</span>` : nothing
  }`;

/** Whether the most likely label is the validation text's. */
function rightOrWrong(
  best: string,
  truth: string,
  chance: number | undefined,
  shape: AnswerShape,
): TemplateResult {
  if (shape === 'choice')
    return html`<p class="judged">
      ${best === truth ? t('✓ Correct.') : t('✗ The right choice is {0}: {1}.', truth, cautiousPercent(chance ?? 0))}
    </p>`;
  if (best === truth) return html`<p class="judged">${t('✓ Correct.')}</p>`;
  return html`<p class="judged">
    ${
      chance === undefined
        ? t('✗ The true label, {0}, is not one of the model’s labels.', truth)
        : t('✗ The true label is {0}: {1}.', truth, cautiousPercent(chance))
    }
  </p>`;
}

function disagreement(first: Column, best: string): unknown {
  const shares = sharesOf(first);
  if (!shares) return nothing;
  const other = labelsOf(first)[ranked(shares)[0]];
  return other === best ? nothing : html`<span class="other">${t('≠ {0} of {1}', other, first.title)}</span>`;
}
