import type { ErrorKind } from '../../base/errors';
import { t } from '../../base/l10n';
import { executorName } from '../../experiment/cluster';
import { troubleSummary } from '../../protocol/alarms';
import { isWithScheduler } from '../../protocol/run-files/cluster';
import { endHint, endReason, isExplained, type UnexpectedEnd } from '../../protocol/run-files/unexpected-end';
import { experimentName } from '../../runs/layout';
import { runLabel } from '../../runs/run-labels';
import type { ResumeOptions } from '../launcher/client';
import { isActive } from '../runs/shown-state';
import type { RunEntry, ShownState, SweepEntry } from '../runs/store';
import { isUnfollowed } from './cluster/cluster-words';
import { errorOf, shortened } from './run-error';
import { headline } from './run-row';
import { bestText, doneTrials, plannedTrials } from './sweep-row';

export interface EndNotice {
  /** One or two full sentences. */
  message: string;
  kind: 'information' | 'warning' | 'error';
}

/** True if a run ended between two polls, as far as it was polled. */
export const hasEnded = (before: ShownState | undefined, now: ShownState): boolean =>
  before !== undefined && isActive(before) && !isActive(now);

/** The notification for a run that ended. */
export function endNotice(entry: RunEntry): EndNotice {
  const label = runLabel(entry);
  const name = entry.run ? `${entry.run.spec.name} (${label})` : label;
  const step = entry.run?.status?.step ?? 0;
  switch (entry.state) {
    case 'finished': {
      const best = headline(entry);
      const troubles = entry.run && troubleSummary(entry.run.events);
      return {
        kind: 'information',
        message: [
          best
            ? t('{0} has finished: best {1}.', name, best)
            : t('{0} has finished after {1} steps.', name, step),
          ...(troubles === undefined ? [] : [t('During training: {0}.', troubles)]),
        ].join(' '),
      };
    }
    case 'failed': {
      const { message = '', hint = '' } = errorOf(entry) ?? {};
      const place =
        step > 0 ? t('{0} failed at step {1}.', name, step) : t('{0} failed before its first step.', name);
      // VS Code cuts off the end of a long message.
      return { kind: 'error', message: [message, hint, place].filter((part) => part !== '').join(' ') };
    }
    case 'stopped':
      return { kind: 'information', message: t('{0} was stopped at step {1}.', name, step) };
    case 'lost': {
      const { end } = entry;
      if (!end || !isExplained(end))
        return {
          kind: 'error',
          message: t('The trainer of {0} ended unexpectedly at step {1}.', name, step),
        };
      const { message, hint } = shortened(entry, { message: endReason(end), hint: endHint(end) });
      const what = t('The trainer of {0} ended unexpectedly at step {1}: {2}.', name, step, message);
      return { kind: 'error', message: `${what} ${hint}` };
    }
    default:
      return { kind: 'warning', message: t('The run {0} can no longer be read.', name) };
  }
}

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
