import { t } from '../../../base/l10n';

import {
  isWithScheduler,
  type ClusterFile,
  type ClusterTrial,
  type ClusterTrialState,
} from '../../../protocol/run-files/cluster';
import { clusterReason } from '../../../protocol/cluster-reasons';
import type { OnCluster, SweepEntry } from '../../runs/store';
import { ago } from '../format';
import type { RowContext } from '../run-row';
import { executorName } from '../../../experiment/cluster';

/** "Slurm on login.example.org" */
export const clusterName = ({ executor, place }: Pick<ClusterFile, 'executor' | 'place'>): string =>
  place === '' ? executorName(executor) : t('{0} on {1}', executorName(executor), place);

/** The state of a trial's job in a word or two. */
export function clusterWord(state: ClusterTrialState): string {
  switch (state) {
    case 'queued':
      return t('queued');
    case 'running':
      return t('running');
    case 'preempted':
      return t('preempted');
    case 'finished':
      return t('finished');
    case 'failed':
      return t('failed');
    case 'cancelled':
      return t('canceled');
    case 'lost':
      return t('lost');
  }
}

/** The reason why the scheduler lets it wait, or how it ended; undefined if it gave no reason. */
export const reasonWords = ({ code, detail }: Pick<ClusterTrial, 'code' | 'detail'>): string | undefined =>
  clusterReason({ code, detail });

/** True if nobody follows it although the scheduler still has trials of it. */
export const isUnfollowed = ({ cluster, state }: SweepEntry): boolean =>
  cluster !== undefined && state !== 'running' && Object.values(cluster.trials).some(isWithScheduler);

/** The place where a sweep runs, and the age of its shown state. */
export function clusterLines(cluster: ClusterFile, { now, locale }: RowContext): string[] {
  const name = clusterName(cluster);
  const { unreachable, at } = cluster;
  return [
    at > 0 ? t('{0}, asked {1}', name, ago(at, now, locale)) : name,
    ...(unreachable ? [unreachableText(cluster, locale)] : []),
  ];
}

/** Since when the scheduler does not answer, and why. */
export const unreachableText = (cluster: ClusterFile, locale: string): string =>
  t(
    '{0} has not responded since {1}: {2}',
    clusterName(cluster),
    new Date(cluster.unreachable!.since).toLocaleString(locale, { dateStyle: 'short', timeStyle: 'short' }),
    cluster.unreachable!.message,
  );

/** The scheduler's report on a trial, in lines. */
export function trialLines(cluster: OnCluster): string[] {
  const { executor, job, node, restarts = 0, code } = cluster;
  const why = reasonWords(cluster);
  const said = clusterWord(cluster.state);
  return [
    `${executorName(executor)}: ${why === undefined ? said : t('{0} ({1})', said, why)}`,
    t('Job: {0}', job),
    ...(code === undefined || code === why ? [] : [t('Code: {0}', code)]),
    ...(node === undefined ? [] : [t('Node: {0}', node)]),
    ...(restarts > 0 ? [t('Restarts: {0}', restarts)] : []),
  ];
}
