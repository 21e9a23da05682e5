import { nothing } from 'lit';
import { cautiousPercent } from '../../../src/base/percent';
import { formatMetric } from '../../../src/experiment/metrics';
import { FEW } from '../../../src/protocol/errors-view/slices';
import { t } from '../../../src/base/l10n';
import { count } from '../../../src/base/number-text';
import type { Measures } from '../measures';
import type { TextModel } from '../model';
import type { AnswerPart } from '../part';
import { textCells } from './cells';
import { textCsv } from './examples-csv';

/** Texts that are written token by token: how well each token is predicted from those before it. */
export function textPart(model: TextModel): AnswerPart {
  const { all, examples, texts } = model;
  return {
    told: t('The model predicts {0} tokens of {1} texts.', count(all.tokens), count(examples)),
    worst: nothing,
    wide: nothing,
    table: nothing,
    lengths: measures(model),
    orders: { loss: t('Largest loss first') },
    stored: t(
      'Of {0} texts, the {1} with the largest loss per token are stored with the predictions.',
      count(examples),
      count(texts.size),
    ),
    chips: [],
    examples: textCells(model),
    csv: (rows) => textCsv(model, rows),
  };
}

const measures = ({ slices }: TextModel): Measures => ({
  heads: [t('Right tokens'), t('Perplexity')],
  long: 'good',
  few: t('With fewer than {0} texts, differences may be due to chance.', FEW),
  rows: slices.map((s) => ({
    value: cautiousPercent(s.right),
    bar: s.right,
    other: formatMetric('perplexity', s.perplexity),
  })),
});
