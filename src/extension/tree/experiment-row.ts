import { t } from '../../base/l10n';
import { count } from '../../base/number-text';
import { stopReason } from '../runs/label';
import { isActive } from '../runs/shown-state';
import type { ExperimentEntry, RunEntry } from '../runs/store';
import type { Row, RowContext } from '../words/run-row';

/**
 * `shown` is how many of its runs pass the filter; `place` is the file's location, '' if that is obvious; `queued` is how
 * many more wait for others to end.
 */
export function experimentRow(
  entry: Pick<ExperimentEntry, 'name' | 'exists' | 'runs' | 'hasSweep' | 'hasClaim'>,
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
      ...(entry.exists && trusted && entry.hasClaim ? ['canClaim'] : []),
      ...(all > 0 ? ['canStudy'] : []),
    ],
    spoken: [t('Experiment {0}', entry.name), ...parts].join(', '),
  };
}

/**
 * Runs that ended with their window and have not been continued: at most one of each experiment, its newest.
 *
 * @param dismissed folders of runs that the user does not want to be reminded of
 */
export const interruptedRuns = (
  experiments: readonly Pick<ExperimentEntry, 'runs'>[],
  dismissed: readonly string[],
): RunEntry[] =>
  experiments.flatMap(({ runs }) => {
    const newest = runs.find((r) => r.trial === undefined);
    const closed = newest?.state === 'stopped' && stopReason(newest.run) === 'window-closed';
    return closed && !dismissed.includes(newest.folder) ? [newest] : [];
  });

/** The whole sentence above the tree, since a narrow side bar cuts a row; undefined without such runs. */
export function interruptedMessage(runs: readonly Pick<RunEntry, 'run'>[]): string | undefined {
  if (runs.length === 0) return undefined;
  if (runs.length > 1) return t('{0} runs stopped because the window closed.', runs.length);
  const { spec, status } = runs[0].run!;
  return t('{0} stopped at step {1} because the window closed.', spec.name, status?.step ?? 0);
}

/** @param several true if others exist, so that the row has to name its experiment */
export function interruptedRow(
  { run }: Pick<RunEntry, 'run'>,
  several: boolean,
  { trusted }: RowContext,
): Row {
  const step = run?.status?.step ?? 0;
  const name = run?.spec.name ?? '';
  return {
    label: several ? t('{0}: stopped at step {1}', name, step) : t('Stopped at step {0}', step),
    description: trusted ? t('window closed · Resume') : t('window closed'),
    icon: { id: 'debug-continue', color: 'charts.yellow' },
    capabilities: ['interrupted', ...(trusted ? ['canResume'] : []), 'canOpen', 'canDismiss'],
    spoken: t('{0} stopped at step {1} because the window closed.', name, step),
  };
}

/** Rows that are drawn once more after their subject is gone. */
export const GONE_SWEEP: Row = {
  label: '',
  description: '',
  icon: { id: 'layers' },
  capabilities: [],
  spoken: '',
};

export const goneRun = (folder: string): RunEntry => ({
  folder,
  id: folder,
  experiment: '',
  state: 'damaged',
  user: {},
});

export const goneExperiment = (file: string) => ({
  name: file,
  exists: false,
  runs: [],
  hasSweep: false,
  hasClaim: false,
});
