import { html } from 'lit';
import { t } from '../../src/base/l10n';
import { cautiousPercent } from '../../src/base/number-text';
import { byExample } from '../../src/protocol/answers/answer-kind';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../src/protocol/answers/found';
import type { LabelSetAnswers } from '../../src/protocol/answers/label-set';
import { FEW } from '../../src/protocol/answers/slices';
import { legend, stateName, type SpanState } from '../ui/marked-text';
import type { ExampleCells, ShowAnswers } from './answer-part';
import { foundAnswers, type FoundWords } from './found-answers';

/** In the order of a list. */
const STATES: readonly (readonly [number, SpanState])[] = [
  [ANSWER_MISSED, 'missed'],
  [ANSWER_SPURIOUS, 'spurious'],
  [ANSWER_FOUND, 'found'],
];

/** A label of an example, in its data, predicted, or both. */
interface Part {
  label: number;
  found: number;
  probability: number;
}

/** Several labels for each text: the counts of found, missed and spurious by label, and the texts with theirs. */
export const labelSetAnswers: ShowAnswers<LabelSetAnswers> = (model, { labels, sets }) => {
  const { example, label, found, probability } = sets;
  const parts = byExample(example, (i): Part => ({
    label: label[i],
    found: found[i],
    probability: probability[i],
  }));
  const { part, partsOf } = foundAnswers(model, sets, parts, words());
  const { columns: c } = model;
  const listed = (of: number, without: number) =>
    partsOf(of)
      .filter((p) => p.found !== without)
      .map((p) => labels[p.label])
      .join('; ');
  return (state, act) => ({
    ...part(state, act),
    examples: labelSetCells(labels, partsOf),
    csv: {
      names: ['labels', 'predicted', 'loss', 'margin'],
      cells: (i) => [listed(i, ANSWER_SPURIOUS), listed(i, ANSWER_MISSED), c.loss[i], c.margin[i]],
    },
  });
};

const words = (): FoundWords => ({
  told: (...counts) =>
    t('The model found {1} of {0} labels and missed {2}; {3} predictions were spurious.', ...counts),
  title: t('By label, worst first'),
  note: t(
    'A label is predicted if its probability is above 50%. A text is right if none of its labels is missed or spurious.',
  ),
  name: t('Label'),
  none: t('No text has a label, and none was predicted.'),
  few: t('With fewer than {0} texts, these shares are unreliable.', FEW),
  showAll: (count) => t('Show all {0} labels', count),
  chip: (name) => t('Label: {0}', name),
});

/** Each label that is in the data or predicted, the wrong ones first, with its probability. */
const labelSetCells = (
  labels: readonly string[],
  partsOf: (example: number) => readonly Part[],
): ExampleCells => ({
  heads: html`<th role="columnheader">${t('Labels')}</th>`,
  cells(example) {
    const parts = partsOf(example);
    const listed = STATES.flatMap(([found, state]) =>
      parts
        .filter((p) => p.found === found)
        .map(
          ({ label, probability }) =>
            html`<li>
              <span class="visually-hidden">${stateName(state)}: </span
              ><span class="name"><span class="mark ${state}">${labels[label]}</span></span>
              <span class="share">${cautiousPercent(probability)}</span>
            </li>`,
        ),
    );
    return html`<td role="cell" class="set">
      ${
        listed.length > 0
          ? html`<ul>
              ${listed}
            </ul>`
          : html`<i>${t('none, and none predicted')}</i>`
      }
    </td>`;
  },
  legend: legend(false),
});
