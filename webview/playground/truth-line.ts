import type { AnswerShape } from '../../src/experiment/tasks/kind';
import type { PlaySample } from '../../src/protocol/playground';
import { namedRow } from '../../src/protocol/row-place';
import { t } from '../../src/base/l10n';
import { FEW_SPANS } from './spans/answer';
import { listed } from './spans/spans';

/** Where a validation text is from, and its answer in the data. */
export function truthLine(
  { file, line, label, labels, text, spans }: PlaySample,
  shape: AnswerShape,
): string {
  const place = namedRow(file, line);
  if (spans?.length === 0) return t('{0}. It has no spans.', place);
  if (spans) return t('{0}. Its spans: {1}', place, listed(text, spans, FEW_SPANS));
  if (labels?.length === 0) return t('{0}. It has no labels.', place);
  if (labels) return t('{0}. Its labels: {1}', place, labels.join(', '));
  if (shape === 'picture') return t('{0}.', place);
  if (shape === 'text') return label === '' ? t('{0}.', place) : t('{0}. Its completion: {1}', place, label);
  if (shape === 'tokens')
    return label === '' ? t('{0}.', place) : t('{0}. The hidden word: {1}', place, label);
  if (shape === 'choice') return t('{0}. Its right choice: {1}', place, label);
  if (shape === 'number') return t('{0}. Its number: {1}', place, label);
  return t('{0}. Its label: {1}', place, label);
}
