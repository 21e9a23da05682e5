import { t } from '../../base/l10n';

import { stopReason } from '../runs/label';
import type { ExperimentEntry, RunEntry } from '../runs/store';
import type { Row, RowContext } from '../words/run-row';

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
