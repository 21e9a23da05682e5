import { FEW } from '../../../src/protocol/errors-view/slices';
import { t } from '../../../src/base/l10n';
import { foundPart } from '../found/part';
import type { FoundWords } from '../found/words';
import type { LabelSetModel } from '../model';
import type { AnswerPart, PartActions, PartState } from '../part';
import { labelSetCells } from './cells';
import { labelSetCsv } from './examples-csv';

/** Several labels for each text: what is found, missed and spurious by label, and the texts with all of theirs. */
export const labelSetPart = (model: LabelSetModel, state: PartState, act: PartActions): AnswerPart => ({
  ...foundPart(model, words(), state, act),
  examples: labelSetCells(model),
  csv: (examples) => labelSetCsv(model, examples),
});

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
