import { t } from '../../base/l10n';
import { notify } from '../messages/notify';

/**
 * Asks before something is deleted. Enter keeps it: VS Code focuses the first button, and a question that a key answers
 * must not delete.
 *
 * @param keep the label of the first button: "Keep Run"
 */
export async function confirmDeletion(question: string, detail: string, keep: string): Promise<boolean> {
  const remove = t('Delete');
  return (await notify.warning(question, { modal: true, detail }, keep, remove)) === remove;
}
