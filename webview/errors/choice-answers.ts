import { html, nothing } from 'lit';
import { t } from '../../src/base/l10n';
import { cautiousPercent } from '../../src/base/number-text';
import { SCORINGS } from '../../src/experiment/scoring';
import { byExample } from '../../src/protocol/answers/answer-kind';
import type { ChoiceAnswers } from '../../src/protocol/answers/choice';
import { rightOrWrong, type ShowAnswers } from './answer-part';

/** Questions with their own choices: how many are answered right, by length, and each with all of its choices. */
export const choiceAnswers: ShowAnswers<ChoiceAnswers> = (model, { columns: c, shares, scoring }) => {
  const { texts } = model;
  /** Undefined if the model wrote its answer. */
  const probabilities = byExample(shares.example, (i) => shares.probability[i]);
  /** The text of a choice where it is stored, otherwise its number. */
  const named = (example: number, choice: number) =>
    choice === c.choices[example] ? '' : (texts.get(example)?.choices?.[choice] ?? choice + 1);
  const cell = (example: number) => {
    const known = probabilities.get(example);
    const words = texts.get(example)?.choices;
    const one = (choice: number) =>
      html`<li>
        ${mark(choice === c.label[example], choice === c.predicted[example])}
        <span class="name">${words?.[choice] ?? t('choice {0}', choice + 1)}</span>
        ${known ? html`<span class="share">${cautiousPercent(known[choice])}</span>` : nothing}
      </li>`;
    return html`<td role="cell" class="set">
      <ul>
        ${Array.from({ length: c.choices[example] }, (_, choice) => one(choice))}
      </ul>
      ${
        c.predicted[example] === c.choices[example]
          ? html`<i>${t('The model named none of the choices.')}</i>`
          : nothing
      }
    </td>`;
  };
  return () => {
    const common = rightOrWrong(model);
    return {
      ...common,
      told: `${common.told} ${t('Answers are found {0}.', t(SCORINGS[scoring]))}`,
      examples: {
        heads: html`<th role="columnheader">${t('Choices')}</th>`,
        cells: cell,
        legend: html`<p class="note">${t('✓ is the right choice, ▸ the model’s answer, and ✓▸ both.')}</p>`,
      },
      csv: {
        names: ['answer', 'predicted', 'probabilities', 'loss', 'margin'],
        cells: (i) => [
          named(i, c.label[i]),
          named(i, c.predicted[i]),
          (probabilities.get(i) ?? []).join('; '),
          c.loss[i],
          c.margin[i],
        ],
      },
    };
  };
};

function mark(isRight: boolean, isAnswer: boolean) {
  const words =
    isRight && isAnswer
      ? t('right, and the answer:')
      : isRight
        ? t('right:')
        : isAnswer
          ? t('the answer, wrong:')
          : '';
  return html`<span class="choice-mark" aria-hidden="true">${isRight ? '✓' : ''}${isAnswer ? '▸' : ''}</span
    >${words === '' ? nothing : html`<span class="visually-hidden">${words}</span>`}`;
}
