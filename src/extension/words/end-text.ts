import { t } from '../../base/l10n';

import { runLabel } from '../runs/label';
import { isActive } from '../runs/shown-state';
import type { RunEntry, ShownState } from '../runs/store';
import { headline } from './run-row';
import { troubleSummary } from '../../protocol/alarms/trouble';
import { endHint, endReason, isExplained } from '../../protocol/run-files/unexpected-end';
import { errorOf, shortened } from './run-error';

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
