import { html, nothing } from 'lit';
import { t } from '../../src/base/l10n';
import { cautiousPercent, count } from '../../src/base/number-text';
import { metricInfo } from '../../src/experiment/metrics';
import { WRITTEN_SCORINGS } from '../../src/experiment/scoring';
import type { JudgedAnswers, WrittenAnswers } from '../../src/protocol/answers/written';
import { rightOrWrong, type ShowAnswers } from './answer-part';

/** Texts that a language model wrote: beside the answers in the data, with the answers that each method found in both. */
export const writtenAnswers: ShowAnswers<WrittenAnswers> = (model, answers) => {
  const { columns: c, texts, references, judged } = answers;
  const [first, ...others] = judged;
  return () => {
    const common = rightOrWrong(model);
    return {
      ...common,
      told: [
        common.told,
        t('Judged by {0}.', nameOf(first)),
        ...others.map((other) => howMany(other, model.examples)),
        ...judged.flatMap(unanswered),
      ].join(' '),
      orders: { loss: t('Largest loss first') },
      texts: (i) => [texts[i], references[i]],
      stored: t(
        'Of {0} examples, the prompts of the {1} most informative ones are stored with the predictions: wrong ones first, by largest loss.',
        count(model.examples),
        count(model.texts.size),
      ),
      examples: {
        heads: html`<th role="columnheader">${t('Answer')}</th>
          <th role="columnheader">${t('Written, and in the data')}</th>`,
        cells: (i) =>
          html`<td role="cell" class="set">
              <ul>
                ${judged.map((one) => outcome(one, i, judged.length > 1))}
              </ul>
            </td>
            <td role="cell" class="written">
              <div class="sides">
                ${side(t('Written, {0} tokens', count(c.written[i])), texts[i])}
                ${side(t('In the data'), references[i])}
              </div>
            </td>`,
      },
      csv: {
        names: [
          ...judged.flatMap(({ scoring }) => [scoring, `${scoring} written`, `${scoring} in data`]),
          ...['loss', 'written_tokens', 'written', 'in_data'],
        ],
        cells: (i) => [
          ...judged.flatMap(({ right, written, reference }) => [
            right[i],
            written[i] ?? '',
            reference[i] ?? '',
          ]),
          ...[c.loss[i], c.written[i], texts[i], references[i]],
        ],
      },
    };
  };
};

/** "exact match" */
const nameOf = ({ scoring }: JudgedAnswers): string => t(metricInfo(WRITTEN_SCORINGS[scoring]).label);

function howMany(judged: JudgedAnswers, examples: number): string {
  const right = judged.right.reduce((a, b) => a + b, 0);
  return t(
    'By {0}, {1} of {2} are right ({3}).',
    nameOf(judged),
    count(right),
    count(examples),
    cautiousPercent(right / examples),
  );
}

/** Says how many written texts have no answer, if some have none. */
function unanswered(judged: JudgedAnswers): string[] {
  const none = judged.written.filter((answer) => answer === null).length;
  if (none === 0) return [];
  return [
    none === 1
      ? t('By {0}, 1 written text has no answer.', nameOf(judged))
      : t('By {0}, {1} written texts have no answer.', nameOf(judged), count(none)),
  ];
}

/** "✗ exact match: 20, not 18" @param named true with the method's name */
function outcome(judged: JudgedAnswers, example: number, named: boolean) {
  const isRight = judged.right[example] === 1;
  const [written, reference] = [judged.written[example], judged.reference[example]];
  const words = isRight
    ? (written ?? '')
    : reference === null
      ? t('{0}; the data has no answer', written ?? t('none found'))
      : t('{0}, not {1}', written ?? t('none found'), reference);
  return html`<li>
    <span class="choice-mark" aria-hidden="true">${isRight ? '✓' : '✗'}</span
    ><span class="visually-hidden">${isRight ? t('right:') : t('wrong:')}</span>
    <span class="name">${named ? html`<small>${nameOf(judged)}</small> ` : nothing}${words}</span>
  </li>`;
}

const side = (heading: string, text: string) =>
  html`<div>
    <small>${heading}</small>
    <div class="words">${text.trim() === '' ? html`<i>${t('nothing')}</i>` : text.trim()}</div>
  </div>`;
