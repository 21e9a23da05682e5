import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import type { ResumeOptions } from '../launcher/client';
import { notify } from '../messages/notify';

export interface Asks {
  /** The user's earlier decisions. */
  decided?: ResumeOptions;
  /** False if nobody is there to be asked; then, a question is an error. */
  attended?: boolean;
}

/**
 * Continues a run or a sweep. Asks if its files have changed, or if another machine may be training it.
 *
 * @param consequence of changed files, where it is not a run's
 * @returns false if the user declined
 */
export async function askingBefore(
  start: (options: ResumeOptions) => Thenable<unknown>,
  { decided = {}, attended = true }: Asks,
  consequence?: string,
): Promise<boolean> {
  if (!attended) {
    await start(decided);
    return true;
  }
  const started = await askingAboutInputs(
    (accept) =>
      orTakeOver((takeOver) =>
        start({
          takeOver: takeOver || decided.takeOver,
          acceptChangedInputs: accept || decided.acceptChangedInputs,
        }),
      ),
    consequence,
  );
  return started === true;
}

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

/**
 * Does something that a process on another machine may still be doing. If there may be one, the user decides.
 *
 * @returns false if the user left it to that process
 */
async function orTakeOver(action: (takeOver: boolean) => Thenable<unknown>): Promise<boolean> {
  try {
    await action(false);
  } catch (e) {
    if (!(e instanceof AuroraError && e.kind === 'owned')) throw e;
    const takeOver = t('Take Over');
    const question = t('Take over from another machine?');
    const advice = t(
      'Take over only if you are sure that it has ended: two trainers must not write to the same run.',
    );
    const options = { modal: true, detail: `${e.message}\n\n${advice}` };
    const answer = await notify.warning(question, options, takeOver);
    if (answer !== takeOver) return false;
    await action(true);
  }
  return true;
}
