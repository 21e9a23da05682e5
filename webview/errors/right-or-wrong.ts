import { cautiousPercent } from '../../src/base/percent';
import { t } from '../../src/base/l10n';
import { count } from '../../src/base/number-text';
import type { CommonModel } from './model';
import { rightMeasures } from './measures';

/** What the page says of answers that are right or wrong. */
export const rightOrWrong = (model: CommonModel) => ({
  told: howManyRight(model),
  lengths: rightMeasures(model.byLength),
  orders: { loss: t('Largest loss first'), margin: t('Narrowest margin first') },
  stored: t(
    'Of {0} examples, the {1} most telling ones are stored with the predictions: wrong ones by largest loss, then right ones by narrowest margin.',
    count(model.examples),
    count(model.texts.size),
  ),
});

const howManyRight = ({ examples, right }: CommonModel): string =>
  right === examples
    ? t('The model gets all {0} examples right.', count(examples))
    : t(
        'The model gets {0} of {1} examples right ({2}), and {3} wrong.',
        count(right),
        count(examples),
        cautiousPercent(right / examples),
        count(examples - right),
      );
