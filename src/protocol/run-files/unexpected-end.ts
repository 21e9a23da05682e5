import { count } from '../../base/number-text';
import { t } from '../../base/l10n';

/** The facts about a trainer that ended without reporting it. */
export interface UnexpectedEnd {
  /** The signal that ended it, if the process that started it saw it: "SIGBUS". */
  signal?: string;
  /** A file of the model that was written to while the trainer read it, with its sizes in bytes. */
  model?: { path: string; before: number; after: number };
  /** The run's folder is on a disk without free space. */
  isDiskFull?: true;
}

/** Without a message from the program itself: a processor or a library has found an error in it. */
const CRASHES = ['SIGSEGV', 'SIGABRT', 'SIGILL', 'SIGFPE', 'SIGTRAP', 'SIGSYS'];

/** True if more is known than that the trainer has ended. */
export const isExplained = ({ signal, model }: UnexpectedEnd): boolean =>
  signal !== undefined || model !== undefined;

/** The likely reason, after "ended unexpectedly:". Paths are as recorded. */
export function endReason({ signal, model, isDiskFull }: UnexpectedEnd): string {
  if (model && (signal === undefined || signal === 'SIGBUS')) {
    const { path, before, after } = model;
    const how = signal === undefined ? '' : ` (${signal})`;
    return after === before
      ? t('the model {0} was overwritten while it was read{1}', path, how)
      : t(
          'the model {0} was changed while it was read{1}: it has {2} bytes instead of {3}',
          ...[path, how, count(after), count(before)],
        );
  }
  if (signal === undefined) return t('it was killed, or its machine was switched off');
  if (signal === 'SIGKILL') return t('it was killed (SIGKILL), most likely because memory ran out');
  if (signal === 'SIGBUS')
    return isDiskFull
      ? t('a file could not be written, because its disk is full (SIGBUS)')
      : t('a file could not be read from its disk (SIGBUS)');
  if (CRASHES.includes(signal)) return t('the program crashed ({0})', signal);
  return t('it was ended by another program ({0})', signal);
}

/** The next step, in the editor. */
export function endHint(end: UnexpectedEnd): string {
  const { signal, model, isDiskFull } = end;
  if (model && (signal === undefined || signal === 'SIGBUS'))
    return t('Put the model back as it was, then resume the run. Replace a model by renaming another file.');
  if (signal === 'SIGKILL')
    return t('Free memory, then resume the run to continue from its last checkpoint.');
  if (signal === 'SIGBUS')
    return isDiskFull
      ? t('Free some space, then resume the run to continue from its last checkpoint.')
      : t('Check the disks of the run and of the model, then resume the run.');
  if (signal !== undefined && CRASHES.includes(signal))
    return t('See its trainer.log. Resume the run to continue from its last checkpoint.');
  return t('Resume the run to continue from its last checkpoint.');
}
