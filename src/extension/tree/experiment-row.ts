import { count } from '../../base/number-text';
import { t } from '../../base/l10n';
import { isActive } from '../runs/shown-state';
import type { ExperimentEntry } from '../runs/store';
import type { Row, RowContext } from '../words/run-row';

/**
 * `shown` is how many of its runs pass the filter; `place` is the file's location, '' if that is obvious; `queued` is how
 * many more wait for others to end.
 */
export function experimentRow(
  entry: Pick<ExperimentEntry, 'name' | 'exists' | 'runs' | 'hasSweep'>,
  shown: number,
  place: string,
  { trusted }: RowContext,
  queued = 0,
): Row {
  const running = entry.runs.filter((r) => isActive(r.state)).length;
  const all = entry.runs.length;
  const runs =
    shown < all
      ? t('{0} of {1} runs', count(shown), count(all))
      : all === 1
        ? t('1 run')
        : all > 1
          ? t('{0} runs', count(all))
          : t('no runs yet');
  const parts = [
    place,
    entry.exists ? '' : t('file deleted'),
    runs,
    running > 0 ? t('{0} running', count(running)) : '',
    queued > 0 ? t('{0} queued', queued) : '',
  ].filter((p) => p !== '');
  return {
    label: entry.name,
    description: parts.join(' · '),
    icon: { id: entry.exists ? 'file' : 'history' },
    capabilities: [
      'experiment',
      ...(entry.exists ? [...(trusted ? ['canRun'] : []), 'canEdit'] : []),
      ...(entry.exists && trusted && entry.hasSweep ? ['canSweep'] : []),
      ...(all > 0 ? ['canStudy'] : []),
    ],
    spoken: [t('Experiment {0}', entry.name), ...parts].join(', '),
  };
}
