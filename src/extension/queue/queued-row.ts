import type { Row, RowContext } from '../words/run-row';
import type { QueuedRun } from './run-queue';

/** The row of a queued run or sweep. `position` is from 1; `held` if it is from an earlier window. */
export function queuedRow(
  label: string,
  { kind, position, held }: Pick<QueuedRun, 'kind'> & { position: number; held: boolean },
  { t, trusted }: RowContext,
): Row {
  const description = held
    ? t('queued in an earlier window')
    : position === 1
      ? t('queued · next')
      : t('queued · number {0}', position);
  return {
    // A narrow side bar cuts the end.
    lead: `#${position}`,
    label,
    description,
    icon: { id: 'clock' },
    capabilities: [
      'queued',
      'canUnqueue',
      ...(trusted ? ['canRunNow'] : []),
      ...(trusted && held ? ['canContinueQueue'] : []),
    ],
    spoken: `${kind === 'run' ? t('Run {0}', label) : label}, ${description}`,
  };
}
