import { nothing } from 'lit';
import { SCORINGS } from '../../../src/experiment/scoring';
import { t } from '../../../src/base/l10n';
import type { ChoiceModel } from '../model';
import type { AnswerPart } from '../part';
import { rightOrWrong } from '../right-or-wrong';
import { choiceCells } from './cells';
import { choiceCsv } from './examples-csv';

/** Questions with their own choices: how many are answered right, by length, and each with all of its choices. */
export function choicePart(model: ChoiceModel): AnswerPart {
  const common = rightOrWrong(model);
  return {
    ...common,
    told: `${common.told} ${t('Answers are found {0}.', t(SCORINGS[model.scoring]))}`,
    worst: nothing,
    wide: nothing,
    table: nothing,
    chips: [],
    examples: choiceCells(model),
    csv: (examples) => choiceCsv(model, examples),
  };
}
