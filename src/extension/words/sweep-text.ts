import type { ErrorKind } from '../../base/errors';
import { t } from '../../base/l10n';
import { experimentName } from '../../runs/layout';
import type { RunEntry, SweepEntry } from '../runs/store';
import { isWithScheduler } from '../../protocol/run-files/cluster';
import { endReason, isExplained, type UnexpectedEnd } from '../../protocol/run-files/unexpected-end';
import { isUnfollowed } from './cluster/cluster-words';
import { bestText, doneTrials, plannedTrials } from './sweep-row';
import type { ResumeOptions } from '../launcher/client';
import type { EndNotice } from './end-text';
import { executorName } from '../../experiment/cluster';

export interface SweepEndNotice extends EndNotice {
  /** The decision that the user can agree to, with which the sweep is then continued. */
  decision?: { title: string; options: ResumeOptions };
}

function decisionOf(kind: ErrorKind | undefined): SweepEndNotice['decision'] {
  if (kind === 'owned') return { title: t('Take Over'), options: { takeOver: true } };
  if (kind !== 'inputs') return undefined;
  return { title: t('Continue with Changed Files'), options: { acceptChangedInputs: true } };
}

/** The text with the reason, if it is known: a queue that was killed could not report it. */
const endText = ({ end }: SweepEntry, name: string): string =>
  end && isExplained(end)
    ? t('The sweep of {0} ended unexpectedly: {1}.', name, endReason(end))
    : t('The sweep of {0} ended unexpectedly.', name);

function hintOf({ signal, isDiskFull }: UnexpectedEnd = {}): string {
  if (signal === 'SIGKILL') return t('Free memory, then use Run Sweep to continue it.');
  if (isDiskFull) return t('Free some space, then use Run Sweep to continue it.');
  return t('Use Run Sweep to continue it.');
}

/** The notification for a sweep whose queue has ended. */
export function sweepEndText(sweep: SweepEntry, runs: readonly RunEntry[]): SweepEndNotice {
  const name = experimentName(sweep.experiment);
  const planned = plannedTrials(sweep.record);
  const best = bestText(runs, sweep.record.metric);
  const failed = runs.filter((r) => r.state === 'failed').length;
  const { ended } = sweep.record;
  const isComplete = !ended && sweep.state === 'finished';
  const bestWords = (value: string) => (isComplete ? t('Best: {0}.', value) : t('Best so far: {0}.', value));
  const tail = [
    best === undefined ? '' : bestWords(best),
    failed > 0 ? t('Failed: {0}.', failed) : '',
  ].filter((part) => part !== '');
  const say = (kind: EndNotice['kind'], sentence: string) => ({
    kind,
    message: [sentence, ...tail].join(' '),
  });
  const decision = decisionOf(ended?.kind);
  if (ended && decision)
    return {
      ...say('warning', `${t('The sweep of {0} is not complete.', name)} ${ended.message}`),
      decision,
    };
  const why = ended ? [ended.message, ended.hint].filter((part) => part !== undefined).join(' ') : '';
  if (sweep.cluster && isUnfollowed(sweep)) {
    const { executor, trials } = sweep.cluster;
    const count = Object.values(trials).filter(isWithScheduler).length;
    const where = executorName(executor);
    const message =
      count === 1
        ? t('A trial of the sweep of {0} is on {1}, and no process is following it.', name, where)
        : t(
            '{0} trials of the sweep of {1} are on {2}, and no process is following them.',
            count,
            name,
            where,
          );
    const whole = why === '' ? message : `${message} ${why}`;
    return { ...say('warning', whole), decision: { title: t('Continue'), options: {} } };
  }
  if (why !== '') return say('error', `${t('The sweep of {0} ended with an error.', name)} ${why}`);
  switch (sweep.state) {
    case 'finished':
      return say(failed > 0 ? 'warning' : 'information', t('The sweep of {0} has finished.', name));
    case 'lost':
    case 'failed':
      return say('error', `${endText(sweep, name)} ${hintOf(sweep.end)}`);
    default:
      return say(
        'information',
        t(
          'The sweep of {0} was stopped; {1} of {2} trials are done, and everything is saved.',
          name,
          doneTrials(runs),
          planned,
        ),
      );
  }
}
