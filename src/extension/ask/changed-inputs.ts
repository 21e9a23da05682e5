import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { notify } from '../messages/notify';

/**
 * Runs an action that continues a run or a sweep. If files have changed since it was trained on them, asks whether to
 * continue with the current files.
 *
 * @param consequence the facts that the user should know before deciding
 * @returns undefined if the user declines
 */
export async function askingAboutInputs<T>(
  action: (acceptChangedInputs: boolean) => PromiseLike<T>,
  consequence = t(
    'Restore the original files to get the results that the run would have had. If you continue, the journal records which files changed.',
  ),
): Promise<T | undefined> {
  try {
    return await action(false);
  } catch (e) {
    if (!(e instanceof AuroraError) || e.kind !== 'inputs') throw e;
    const proceed = t('Continue with Changed Files');
    const question = t('Continue with changed files?');
    const options = { modal: true, detail: `${e.message}\n\n${consequence}` };
    const picked = await notify.warning(question, options, proceed);
    return picked === proceed ? action(true) : undefined;
  }
}
