import { basename } from 'node:path';
import { t } from '../../../base/l10n';
import { experimentName } from '../../../runs/layout';
import type { SweepFacts } from '../../../protocol/panels/sweep';
import type { RunEntry, SweepEntry } from '../../runs/store';
import type { ClusterFile } from '../../../protocol/run-files/cluster';
import { clusterName, isUnfollowed, unreachableText } from '../../words/cluster/cluster-words';
import type { RowContext } from '../../words/run-row';
import { isIncomplete } from '../../words/sweep-row';

/** @param runs of its trials */
export function factsOf(
  sweep: SweepEntry,
  runs: readonly RunEntry[],
  { trusted, locale }: Pick<RowContext, 'trusted' | 'locale'>,
): SweepFacts {
  const { record, state, folder, experiment, cluster } = sweep;
  const { spec, room, varied, metric, ended } = record;
  const logarithmic = Object.entries(spec.parameters ?? {}).flatMap(([key, values]) =>
    !Array.isArray(values) && values.scale === 'log' ? [key] : [],
  );
  return {
    folder,
    ...(cluster && { on: clusterName(cluster) }),
    ...(cluster && noticeOf(sweep, cluster, locale)),
    experiment: experimentName(experiment),
    id: basename(folder).slice(0, 4),
    state,
    ...(ended && { ended: ended.message }),
    type: spec.type,
    metric,
    varied,
    logarithmic,
    ...(room && { parallel: room.parallel }),
    pruning: spec.pruning,
    search: spec.learningRateSearch,
    canResume: trusted && state !== 'running' && isIncomplete(sweep, runs),
    ...(trusted && isUnfollowed(sweep) && { canStop: true }),
  };
}

function noticeOf(sweep: SweepEntry, cluster: ClusterFile, locale: string): Pick<SweepFacts, 'notice'> {
  if (isUnfollowed(sweep))
    return {
      notice: t(
        'No process is following the trials on {0}. The states shown are those of {1}; Resume Sweep continues.',
        clusterName(cluster),
        new Date(cluster.at).toLocaleString(locale),
      ),
    };
  return cluster.unreachable ? { notice: unreachableText(cluster, locale) } : {};
}
