import { html, nothing, type TemplateResult } from 'lit';
import type { SpanState } from '../../spans/segments';
import { stateName } from '../../spans/marked-text';
import { t } from '../../../src/base/l10n';
import type { CardContext } from '../answer-card';
import type { Shares } from '../answers';
import type { Column } from '../columns';
import { measured } from '../format';
import { FEW_LABELS } from '../labels/answer';
import { ranked } from '../labels/shares';
import { labelTable } from '../labels/table';
import { labelSetOf, predictedLabels, stateOf, THRESHOLD } from './label-set';

/** The predicted labels, and the probability of each label, also of those that are not predicted. */
export function labelSetAnswer(column: Column, prediction: Shares, context: CardContext): TemplateResult {
  const { truth } = context;
  const labels = column.subject.facts!.labels;
  const predicted = predictedLabels(labels, prediction);
  const first = column.key === context.first.key ? undefined : labelSetOf(context.first);
  // What a text should have had is shown, however unlikely.
  const shown = ranked(prediction).filter(
    (i, rank) => context.all || rank < FEW_LABELS || truth?.labels?.includes(labels[i]),
  );
  return html`<div class="verdict">
      <p><strong>${listed(predicted)}</strong></p>
      ${truth?.labels ? html`<p class="judged">${judged(predicted, truth.labels)}</p>` : nothing}
      ${first ? disagreement(predicted, first, context.first.title) : nothing}
    </div>
    ${labelTable(column, prediction, shown, context, (i) => labelName(labels[i], stateOf(labels[i], predicted, truth)), THRESHOLD)}
    <p class="note numbers">${measured(prediction)}</p>`;
}

export const listed = (labels: readonly string[]): string =>
  labels.length === 0 ? t('no label') : labels.join(', ');

const labelName = (label: string, state: SpanState | undefined): TemplateResult =>
  state === undefined
    ? html`${label}`
    : html`<span class="visually-hidden">${stateName(state)}: </span
        ><span class="mark ${state}">${label}</span>`;

/** Whether these are the labels of the validation text. */
function judged(predicted: readonly string[], truth: readonly string[]): string {
  const found = truth.filter((label) => predicted.includes(label)).length;
  const spurious = predicted.length - found;
  if (truth.length === 0) return spurious === 0 ? t('✓ It has none.') : t('✗ It has none.');
  if (found === truth.length && spurious === 0) return t('✓ These are its labels.');
  return t('✗ {0} of its {1} labels found, {2} spurious.', found, truth.length, spurious);
}

function disagreement(labels: readonly string[], others: readonly string[], title: string): unknown {
  const more = labels.filter((label) => !others.includes(label)).length;
  const fewer = others.filter((label) => !labels.includes(label)).length;
  if (more + fewer === 0) return nothing;
  return html`<p class="other">${t('≠ {0} not in {1}, {2} only in {1}', more, title, fewer)}</p>`;
}
