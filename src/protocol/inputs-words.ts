import { t } from '../base/l10n';
import { count } from '../base/number-text';
import type { InputChange, InputRole } from './events';

/** Remarks about a run's files, as sentences. Both are empty if the files are known to be the same. */
export interface InputsNote {
  /** Files that have changed since the run was trained: the numbers are not those of the trained data. */
  changed: string[];
  notes: string[];
}

export const hasNote = ({ changed, notes }: InputsNote): boolean => changed.length + notes.length > 0;

/** The remarks on an export, which was measured on these files. */
export const exportRemarks = ({ changed, notes }: InputsNote = { changed: [], notes: [] }): string[] => [
  ...changed,
  ...(changed.length > 0 ? [t('These files and metrics are not those of the trained model.')] : []),
  ...notes,
];

const ROLE: Record<InputRole, string> = {
  model: 'The model',
  'model-data': 'The data file of the model',
  tokenizer: 'The tokenizer file',
  preprocessor: 'The preprocessor_config.json',
  train: 'The training data',
  validation: 'The validation data',
  test: 'The test data',
  evaluation: 'The evaluation data',
};

/** "The training data /data/train.jsonl have changed" and so on, without a period. */
export function changeWords({ role, path, before, after, image, more }: InputChange): string {
  if (image) {
    const what = after === null ? 'is missing' : before === null ? 'did not exist before' : 'has changed';
    const others = more === undefined ? '' : `, and ${count(more)} more`;
    return `The image ${path} of ${ROLE[role].replace('The', 'the')} ${what}${others}`;
  }
  const plural = ['train', 'validation', 'test', 'evaluation'].includes(role);
  const what = `${ROLE[role]} ${path}`;
  if (after === null) return `${what} ${plural ? 'are' : 'is'} missing`;
  if (before === null) return `${what} did not exist before`;
  return `${what} ${plural ? 'have' : 'has'} changed`;
}
