import { t } from '../../../base/l10n';

import { experimentName } from '../../../runs/layout';
import { trialLabel } from '../../runs/label';
import type { RunEntry, SweepEntry } from '../../runs/store';
import { isWithScheduler } from '../../../protocol/run-files/cluster';
import { reasonWords } from './cluster-words';
import { executorName } from '../../../experiment/cluster';

/**
 * The notification for trials that a scheduler lost; undefined if the sweep has none of them.
 *
 * @param runs of the sweep's experiment
 */
export function lossText(
  sweep: SweepEntry,
  runs: readonly RunEntry[],
  ids: readonly string[],
): string | undefined {
  const { experiment, record, cluster } = sweep;
  if (!cluster) return undefined;
  const lost = record.trials.flatMap((trial) => {
    const said = ids.includes(trial.id) ? cluster.trials[trial.id] : undefined;
    return said ? [{ trial, said }] : [];
  });
  if (lost.length === 0) return undefined;
  const name = experimentName(experiment);
  const on = executorName(cluster.executor);
  const reasons = new Set(
    lost.flatMap(({ said }) => reasonWords({ code: said.lost?.code ?? said.code }) ?? []),
  );
  const why = reasons.size === 0 ? t('no longer listed by the scheduler') : [...reasons].join('; ');
  const again = lost.every(({ said }) => isWithScheduler(said) || said.state === 'finished');
  const [{ trial, said }] = lost;
  const label = trialLabel(
    sweep,
    trial,
    runs.find((run) => run.id === trial.run),
  );
  const node = said.lost?.node;
  const what =
    lost.length > 1
      ? t('{0} lost {1} trials of the sweep of {2}: {3}.', on, lost.length, name, why)
      : node === undefined
        ? t('{0} lost {1}, a trial of the sweep of {2}: {3}.', on, label, name, why)
        : t('{0} lost {1}, a trial of the sweep of {2}, on {4}: {3}.', on, label, name, why, node);
  const next =
    lost.length > 1
      ? again
        ? t('They were submitted again, and continue from their last checkpoints.')
        : t('Those that have not finished are submitted again, at most three times without a new step.')
      : again
        ? t('It was submitted again, and continues from its last checkpoint.')
        : t('It is submitted again, at most three times without a new step.');
  return `${what} ${next}`;
}
