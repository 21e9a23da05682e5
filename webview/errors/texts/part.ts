import { nothing } from 'lit';
import { numberText } from '../../../src/base/number-text';
import { cautiousPercent } from '../../../src/base/percent';
import { FEW } from '../../../src/protocol/errors-view/slices';
import { t } from '../../ui/l10n';
import { count } from '../format';
import type { Measures } from '../measures';
import type { TextModel } from '../model';
import type { AnswerPart } from '../part';
import { textCells } from './cells';
import { textCsv } from './examples-csv';

/** Texts that are written token by token: how well each token is predicted from those before it. */
export function textPart(model: TextModel): AnswerPart {
  const { all, examples, texts } = model;
  return {
    told: t(
      'Of {0} tokens in {1} texts, {2} are the model’s most likely ones.',
      count(all.tokens),
      count(examples),
      cautiousPercent(all.right),
    ),
    worst: nothing,
    wide: nothing,
    table: nothing,
    lengths: measures(model),
    orders: { loss: t('Largest loss first') },
    stored: t(
      'Of {0} texts, the {1} with the largest loss of a token are stored with the predictions.',
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
  few: t('With fewer than {0} texts, differences may as well be chance.', FEW),
  rows: slices.map((s) => ({
    value: cautiousPercent(s.right),
    bar: s.right,
    other: numberText(s.perplexity),
  })),
});
