import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import type { PlaySample } from '../../src/protocol/playground';
import { legend, stateName, type SpanState } from '../ui/marked-text';
import { measured, otherOf, sentence, type AnswerKind, type CardContext, type Column } from './answer-kind';
import { FEW_LABELS, labelTable, ranked, sharesBelow, sharesOf, sharesText } from './share-table';

/** A label is predicted above this probability. */
const THRESHOLD = 0.5;

/** Any number of the model's labels. */
export const labelSetAnswer: AnswerKind = {
  asked: 'typing',
  card,
  below: (answers, { truth }) => ({
    ...sharesBelow(answers),
    ...(truth?.labels && answers.some(predictedLabels) && { marks: legend(false) }),
  }),
  text: sharesText,
  spoken(column) {
    const predicted = predictedLabels(column);
    return predicted && sentence(column, listed(predicted));
  },
  truth: ({ labels, label }, place) =>
    labels?.length === 0
      ? t('{0}. It has no labels.', place)
      : t('{0}. Its labels: {1}', place, labels?.join(', ') ?? label),
};

/** A column's predicted labels, most likely first; undefined if it has no answer yet, or answers otherwise. */
function predictedLabels(column: Column): string[] | undefined {
  const { facts } = column.subject;
  const shares = sharesOf(column);
  if (facts?.answer !== 'labels' || !shares) return undefined;
  return ranked(shares)
    .filter((i) => shares.probabilities[i] > THRESHOLD)
    .map((i) => facts.labels[i]);
}

/** The predicted labels, and the probability of each label, also of those that are not predicted. */
function card(column: Column, context: CardContext): TemplateResult | undefined {
  const prediction = sharesOf(column);
  const predicted = predictedLabels(column);
  if (!prediction || !predicted) return undefined;
  const { truth, first } = context;
  const { labels } = column.subject.facts!;
  const other = otherOf(column, context);
  const others = other && predictedLabels(other);
  // The true labels are shown, however unlikely.
  const shown = ranked(prediction).filter(
    (i, rank) => context.all || rank < FEW_LABELS || truth?.labels?.includes(labels[i]),
  );
  return html`<div class="verdict">
      <p><strong>${listed(predicted)}</strong></p>
      ${truth?.labels ? html`<p class="judged">${judged(predicted, truth.labels)}</p>` : nothing}
      ${others ? disagreement(predicted, others, first.title) : nothing}
    </div>
    ${labelTable(column, prediction, shown, context, (i) => labelName(labels[i], stateOf(labels[i], predicted, truth)), THRESHOLD)}
    ${measured(prediction)}`;
}

const listed = (labels: readonly string[]): string =>
  labels.length === 0 ? t('no label') : labels.join(', ');

const labelName = (label: string, state: SpanState | undefined): TemplateResult =>
  state === undefined
    ? html`${label}`
    : html`<span class="visually-hidden">${stateName(state)}: </span
        ><span class="mark ${state}">${label}</span>`;

/** Compares the labels with those of the validation text. */
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

/**
 * Says if a label is found, missed or spurious; undefined if it is neither predicted nor in the data.
 *
 * @param truth the row that is asked about; undefined if the text is not from there
 */
function stateOf(
  label: string,
  predicted: readonly string[],
  truth: PlaySample | undefined,
): SpanState | undefined {
  const isPredicted = predicted.includes(label);
  if (!truth?.labels) return isPredicted ? 'predicted' : undefined;
  const isTrue = truth.labels.includes(label);
  return isTrue ? (isPredicted ? 'found' : 'missed') : isPredicted ? 'spurious' : undefined;
}
