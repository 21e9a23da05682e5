import { FEW } from '../../../src/protocol/errors-view/slices';
import { t } from '../../../src/base/l10n';
import { foundPart } from '../found/part';
import type { FoundWords } from '../found/words';
import type { SpanModel } from '../model';
import type { AnswerPart, PartActions, PartState } from '../part';
import { spanCells } from './cells';
import { spanCsv } from './examples-csv';

/** Labeled spans: what is found, missed and spurious by type, and the texts with all of them marked. */
export const spanPart = (model: SpanModel, state: PartState, act: PartActions): AnswerPart => ({
  ...foundPart(model, words(), state, act),
  examples: spanCells(model),
  csv: (examples) => spanCsv(model, examples),
});

const words = (): FoundWords => ({
  told: (...counts) =>
    t('The model found {1} of {0} spans and missed {2}; {3} predictions were spurious.', ...counts),
  title: t('By type, worst first'),
  note: t(
    'A span is found if its words and its type are right. A text is right if none of its spans is missed or spurious.',
  ),
  name: t('Type'),
  none: t('No text has a span, and none was predicted.'),
  few: t('With fewer than {0} spans, these shares are unreliable.', FEW),
  showAll: (count) => t('Show all {0} types', count),
  chip: (name) => t('Type: {0}', name),
});
