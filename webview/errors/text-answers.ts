import { html } from 'lit';
import { t } from '../../src/base/l10n';
import { count, cautiousPercent } from '../../src/base/number-text';
import { formatMetric } from '../../src/experiment/metrics';
import { binOf, FEW } from '../../src/protocol/answers/slices';
import {
  textSlices,
  type TextAnswers,
  type TextColumns,
  type TextSlice,
} from '../../src/protocol/answers/text';
import type { ExampleCells, ShowAnswers } from './answer-part';
import type { Measures } from './slice-table';

/** Texts that are written token by token: how well each token is predicted from those before it. */
export const textAnswers: ShowAnswers<TextAnswers> = ({ bins, examples, texts }, { columns: c }) => {
  const [all] = textSlices(c, 1, () => 0);
  const slices = textSlices(c, bins.length, (i) => binOf(bins, c.tokens[i]));
  return () => ({
    told: t('The model predicts {0} tokens of {1} texts.', count(all.tokens), count(examples)),
    lengths: measures(slices),
    orders: { loss: t('Largest loss first') },
    stored: t(
      'Of {0} texts, the {1} with the largest loss per token are stored with the predictions.',
      count(examples),
      count(texts.size),
    ),
    examples: textCells(c),
    csv: {
      names: ['loss', 'predicted_tokens', 'right_tokens'],
      cells: (i) => [c.loss[i], c.answered[i], c.right[i]],
    },
  });
};

const measures = (slices: readonly TextSlice[]): Measures => ({
  heads: [t('Right tokens'), t('Perplexity')],
  long: 'good',
  few: t('With fewer than {0} texts, differences may be due to chance.', FEW),
  rows: slices.map((s) => ({
    value: cautiousPercent(s.right),
    bar: s.right,
    other: formatMetric('perplexity', s.perplexity),
  })),
});

/** A text's perplexity, and how many of its tokens are right. */
const textCells = (c: TextColumns): ExampleCells => ({
  heads: html`<th role="columnheader" class="number">${t('Perplexity')}</th>
    <th role="columnheader" class="number">${t('Right tokens')}</th>`,
  cells: (example) =>
    html`<td role="cell" class="number">
        <span class="narrow">${t('perplexity')} </span
        >${formatMetric('perplexity', Math.exp(c.loss[example]))}
      </td>
      <td role="cell" class="number">
        ${t('{0} of {1}', count(c.right[example]), count(c.answered[example]))}<span class="narrow">
          ${t('tokens right')}</span
        >
      </td>`,
});
