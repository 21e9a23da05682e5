import { t } from '../../base/l10n';

import type { Row, RowContext } from '../words/run-row';
import type { Held, QueuedRun } from './run-queue';

/** The row of a queued run or sweep. `position` is from 1. */
export function queuedRow(
  label: string,
  { kind, position, held }: Pick<QueuedRun, 'kind'> & { position: number; held: Held | undefined },
  { trusted }: RowContext,
): Row {
  const description =
    held === 'earlier'
      ? t('queued in an earlier window')
      : held === 'failed'
        ? t('could not be started')
        : position === 1
          ? t('queued · next')
          : t('queued · number {0}', position);
  return {
    // A narrow side bar cuts the end.
    lead: `#${position}`,
    label,
    description,
    icon: held === 'failed' ? { id: 'warning', color: 'problemsWarningIcon.foreground' } : { id: 'clock' },
    capabilities: [
      'queued',
      'canUnqueue',
      ...(trusted ? ['canRunNow'] : []),
      ...(trusted && held ? ['canContinueQueue'] : []),
    ],
    spoken: `${kind === 'run' ? t('Run {0}', label) : label}, ${description}`,
  };
}
