import { html, nothing } from 'lit';
import { t } from '../../src/base/l10n';
import { count, cautiousPercent } from '../../src/base/number-text';
import {
  confusedPairs,
  confusionOf,
  labelSlices,
  worstLabels,
  type ConfusedPair,
  type LabelAnswers,
  type LabelColumns,
} from '../../src/protocol/answers/label';
import type { Slice } from '../../src/protocol/answers/slices';
import { listWithRight, rightOrWrong, type ExampleCells, type ShowAnswers } from './answer-part';
import { confusionMatrix, matrixLabels } from './confusion-matrix';
import { rightMeasures, sliceTable, type SliceRow } from './slice-table';

/** Number of confused pairs that are named. */
const NAMED = 3;
/** Labels shown by default. */
const FIRST_LABELS = 10;

/** One label for each text: a confusion matrix, the labels, and the examples of any of their cells. */
export const labelAnswers: ShowAnswers<LabelAnswers> = (model, { labels, columns }) => {
  const confusion = confusionOf(columns, labels.length);
  const pairs = confusedPairs(confusion);
  const inMatrix = matrixLabels(confusion);
  const byLabel = labelSlices(columns, model.wrong, labels.length);
  const worst = worstLabels(byLabel);
  return ({ ui, list, cell }, act) => {
    const { label, predicted, allLabels = false } = ui;
    const filterCell = (l: number, p: number): void => {
      if (confusion.counts[l * confusion.labels + p] === 0) return;
      act.filter({ label: l, predicted: p, ...(l === p ? listWithRight(list) : { list }) });
    };
    return {
      ...rightOrWrong(model),
      worst: confusedMost(labels, pairs, filterCell),
      wide: confusionMatrix(
        labels,
        confusion,
        inMatrix,
        cell,
        { label, predicted },
        { move: (to) => act.move(to), choose: filterCell },
      ),
      table: labelTable(labels, worst, byLabel, predicted === undefined ? label : undefined, allLabels, {
        choose: (l) =>
          l === label && predicted === undefined
            ? act.choose({ label: undefined })
            : act.filter({ label: l, predicted: undefined }),
        showAll: (all) => act.keep({ allLabels: all }),
      }),
      ...((label ?? predicted) !== undefined && {
        suits: (i: number) =>
          (label === undefined || columns.label[i] === label) &&
          (predicted === undefined || columns.predicted[i] === predicted),
      }),
      chips: [
        ...(label === undefined
          ? []
          : [{ text: t('True label: {0}', labels[label]), change: { label: undefined } }]),
        ...(predicted === undefined
          ? []
          : [{ text: t('Predicted: {0}', labels[predicted]), change: { predicted: undefined } }]),
      ],
      examples: labelCells(labels, columns, model.wrong),
      csv: {
        names: ['label', 'predicted', 'probability', 'label_probability', 'loss', 'margin'],
        cells: (i) => [
          labels[columns.label[i]],
          labels[columns.predicted[i]],
          columns.probability[i],
          columns.truth[i],
          columns.loss[i],
          columns.margin[i],
        ],
      },
    };
  };
};

/** The most frequent confusions. */
function confusedMost(
  labels: readonly string[],
  pairs: readonly ConfusedPair[],
  choose: (label: number, predicted: number) => void,
) {
  if (pairs.length === 0) return nothing;
  return html`<p class="pairs">
    ${t('Most often confused:')}
    ${pairs
      .slice(0, NAMED)
      .map(
        (p, i) =>
          html`${i > 0 ? ', ' : nothing}<button class="link" @click=${() => choose(p.label, p.predicted)}>
              ${t('{0} predicted as {1}', labels[p.label], labels[p.predicted])}</button
            >${t(' ({0})', count(p.count))}`,
      )}
  </p>`;
}

function labelTable(
  labels: readonly string[],
  worst: readonly number[],
  byLabel: readonly Slice[],
  chosen: number | undefined,
  all: boolean,
  act: { choose(label: number): void; showAll(all: boolean): void },
) {
  const shown = all ? worst : worst.slice(0, FIRST_LABELS);
  const measures = rightMeasures(shown.map((label) => byLabel[label]));
  const rows = shown.map((label, i): SliceRow => ({
    name: labels[label],
    count: byLabel[label].count,
    measure: measures.rows[i],
    chosen: label === chosen,
    choose: () => act.choose(label),
  }));
  return sliceTable(
    'labels',
    t('By true label, worst first'),
    t('Label'),
    measures,
    rows,
    worst.length > FIRST_LABELS
      ? html`<button class="link" aria-expanded=${all ? 'true' : 'false'} @click=${() => act.showAll(!all)}>
          ${all ? t('Show the {0} worst', FIRST_LABELS) : t('Show all {0} labels', worst.length)}
        </button>`
      : nothing,
  );
}

/** The true and the predicted label, with their probabilities. */
const labelCells = (labels: readonly string[], c: LabelColumns, wrong: Uint8Array): ExampleCells => ({
  heads: html`<th role="columnheader">${t('True label')}</th>
    <th role="columnheader" class="number">${t('Probability')}</th>
    <th role="columnheader">${t('Predicted')}</th>
    <th role="columnheader" class="number">${t('Probability')}</th>`,
  cells: (example) =>
    html`<td role="cell"><span class="name">${labels[c.label[example]]}</span></td>
      <td role="cell" class="number">${cautiousPercent(c.truth[example])}</td>
      <td role="cell">
        <span class="name"
          ><span aria-hidden="true">${wrong[example] ? '✕' : '✓'}</span
          ><span class="visually-hidden">${wrong[example] ? t('wrong:') : t('right:')}</span>
          ${labels[c.predicted[example]]}</span
        >
      </td>
      <td role="cell" class="number">${cautiousPercent(c.probability[example])}</td>`,
});
