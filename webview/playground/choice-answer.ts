import { t } from '../../src/base/l10n';
import { cautiousPercent } from '../../src/base/number-text';
import type { AnswerKind } from './answer-kind';
import { likeliestCard, likeliestSpoken } from './label-answer';
import { sharesBelow, sharesText } from './share-table';

/** One of the choices that come with the question. */
export const choiceAnswer: AnswerKind = {
  asked: 'typing',
  choices: true,
  card: (column, context) =>
    likeliestCard(column, context, (best, truth, chance) =>
      best === truth
        ? t('✓ Correct.')
        : t('✗ The right choice is {0}: {1}.', truth, cautiousPercent(chance ?? 0)),
    ),
  below: sharesBelow,
  text: sharesText,
  spoken: likeliestSpoken,
  truth: ({ label }, place) => t('{0}. Its right choice: {1}', place, label),
};
