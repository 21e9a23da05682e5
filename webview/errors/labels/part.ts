import { t } from '../../../src/base/l10n';
import { listWithRight, type AnswerPart, type PartActions, type PartState } from '../part';
import type { LabelModel } from '../model';
import { rightOrWrong } from '../right-or-wrong';
import { labelCsv } from './examples-csv';
import { labelCells } from './cells';
import { labelTable } from './label-table';
import { matrix } from './matrix';
import { confusedMost } from './confused';

/** One label for each text: a confusion matrix, the labels, and the examples of any of their cells. */
export function labelPart(model: LabelModel, { ui, list, cell }: PartState, act: PartActions): AnswerPart {
  const { labels, columns, confusion } = model;
  const { label, predicted, allLabels = false } = ui;
  const filterCell = (l: number, p: number): void => {
    if (confusion.counts[l * confusion.labels + p] === 0) return;
    act.filter({ label: l, predicted: p, ...(l === p ? listWithRight(list) : { list }) });
  };
  return {
    ...rightOrWrong(model),
    worst: confusedMost(model, filterCell),
    wide: matrix(model, cell, { label, predicted }, { move: (to) => act.move(to), choose: filterCell }),
    table: labelTable(model, predicted === undefined ? label : undefined, allLabels, {
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
    examples: labelCells(model),
    csv: (examples) => labelCsv(model, examples),
  };
}
