import { html, nothing } from 'lit';
import { cautiousPercent } from '../../../src/base/percent';
import { t } from '../../../src/base/l10n';
import type { ChoiceModel } from '../model';
import type { ExampleCells } from '../part';

/** All choices of a question with their probabilities: which is right, and which the model answers. */
export const choiceCells = (model: ChoiceModel): ExampleCells => ({
  heads: html`<th role="columnheader">${t('Choices')}</th>`,
  cells(example) {
    const { columns: c, texts } = model;
    const shares = model.sharesOf(example);
    const words = texts.get(example)?.choices;
    const one = (choice: number) =>
      html`<li>
        ${mark(choice === c.label[example], choice === c.predicted[example])}
        <span class="name">${words?.[choice] ?? t('choice {0}', choice + 1)}</span>
        ${shares ? html`<span class="share">${cautiousPercent(shares[choice])}</span>` : nothing}
      </li>`;
    return html`<td role="cell" class="set">
      <ul>
        ${Array.from({ length: c.choices[example] }, (_, choice) => one(choice))}
      </ul>
      ${model.answeredNone(example) ? html`<i>${t('The model named none of the choices.')}</i>` : nothing}
    </td>`;
  },
  text: (_, excerpt) => excerpt,
  legend: html`<p class="note">${t('✓ is the right choice, ▸ the model’s answer, and ✓▸ both.')}</p>`,
});

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
