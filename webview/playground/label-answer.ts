import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import { cautiousPercent } from '../../src/base/number-text';
import {
  labelsOf,
  measured,
  otherOf,
  sentence,
  type AnswerKind,
  type CardContext,
  type Column,
} from './answer-kind';
import { chanceOf, FEW_LABELS, labelTable, ranked, sharesBelow, sharesOf, sharesText } from './share-table';

/** One of the model's labels. */
export const labelAnswer: AnswerKind = {
  asked: 'typing',
  card: (column, context) => likeliestCard(column, context, judged),
  below: sharesBelow,
  text: sharesText,
  spoken: likeliestSpoken,
  truth: ({ label }, place) => t('{0}. Its label: {1}', place, label),
};

/**
 * The most likely label, and the probabilities of all of them.
 *
 * @param judged compares it with the true label, whose probability is undefined if the model does not have it
 */
export function likeliestCard(
  column: Column,
  context: CardContext,
  judged: (best: string, truth: string, chance: number | undefined) => string,
): TemplateResult | undefined {
  const prediction = sharesOf(column);
  if (!prediction) return undefined;
  const labels = labelsOf(column);
  const order = ranked(prediction);
  const shown = context.all ? order : order.slice(0, FEW_LABELS);
  const other = otherOf(column, context);
  const best = labels[order[0]];
  const truth = context.truth?.label;
  return html`<div class="verdict">
      <p><strong>${best}</strong> ${cautiousPercent(prediction.probabilities[order[0]])}</p>
      ${truth === undefined ? nothing : html`<p class="judged">${judged(best, truth, chanceOf(column, truth))}</p>`}
      ${other ? disagreement(other, best) : nothing}
    </div>
    ${labelTable(column, prediction, shown, context, (i) => labelName(labels[i], labels[i] === truth))}
    ${measured(prediction)}`;
}

export function likeliestSpoken(column: Column): string | undefined {
  const shares = sharesOf(column);
  if (!shares) return undefined;
  const [best] = ranked(shares);
  return sentence(column, t('{0}, {1}', labelsOf(column)[best], cautiousPercent(shares.probabilities[best])));
}

const labelName = (label: string, isTruth: boolean): TemplateResult =>
  html`${isTruth ? html`<span aria-hidden="true">✓ </span>` : nothing}${label}${
    isTruth ? html`<span class="visually-hidden">${t(', its label')}</span>` : nothing
  }`;

function judged(best: string, truth: string, chance: number | undefined): string {
  if (best === truth) return t('✓ Correct.');
  return chance === undefined
    ? t('✗ The true label, {0}, is not one of the model’s labels.', truth)
    : t('✗ The true label is {0}: {1}.', truth, cautiousPercent(chance));
}

function disagreement(first: Column, best: string): unknown {
  const shares = sharesOf(first);
  if (!shares) return nothing;
  const other = labelsOf(first)[ranked(shares)[0]];
  return other === best ? nothing : html`<span class="other">${t('≠ {0} of {1}', other, first.title)}</span>`;
}
