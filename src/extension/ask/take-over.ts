import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { notify } from '../messages/notify';

/**
 * Does something that a process on another machine may still be doing. If there may be one, the user decides.
 *
 * @returns false if the user left it to that process
 */
export async function orTakeOver(action: (takeOver: boolean) => Thenable<unknown>): Promise<boolean> {
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
