import { count } from '../../../base/number-text';
import type { ClusterTrial, ClusterTrialState } from '../../../protocol/run-files/cluster';
import { own } from '../../../base/names';
import { t } from '../../../base/l10n';
import type { TrialRecord } from '../../../runs/sweep/record';
import { trialLabel } from '../../runs/label';
import type { OnCluster, RunEntry, SweepEntry } from '../../runs/store';
import { isWithScheduler } from '../../../protocol/run-files/cluster';
import { clusterWord, reasonWords } from './cluster-words';
import { ICONS, type Row, type RowContext } from '../run-row';

/** A trial that a cluster's scheduler knows and that has no run folder yet. */
export interface QueuedTrial {
  record: TrialRecord;
  /** The name of its run, whose number may be known before its folder is here. */
  label: string;
  cluster: OnCluster;
}

/** The order of states: those that need attention first. */
const ORDER: readonly ClusterTrialState[] = [
  'lost',
  'failed',
  'cancelled',
  'preempted',
  'running',
  'queued',
  'finished',
];

/** The trials of a sweep without a run, by the scheduler's states. */
export function trialsWithoutRun(
  sweep: Pick<SweepEntry, 'record' | 'cluster' | 'numbers'>,
  runs: readonly Pick<RunEntry, 'id'>[],
): Map<ClusterTrialState, QueuedTrial[]> {
  const { record, cluster } = sweep;
  const groups = new Map<ClusterTrialState, QueuedTrial[]>();
  if (!cluster) return groups;
  const begun = new Set(runs.map((r) => r.id));
  for (const trial of record.trials) {
    const said = own(cluster.trials, trial.id);
    if (!said || (trial.run !== undefined && begun.has(trial.run))) continue;
    const group = groups.get(said.state) ?? [];
    const label = trialLabel(sweep, trial);
    group.push({ record: trial, label, cluster: { executor: cluster.executor, ...said } });
    groups.set(said.state, group);
  }
  return new Map(ORDER.flatMap((state) => (groups.has(state) ? [[state, groups.get(state)!]] : [])));
}

const CLUSTER_ICONS: Record<ClusterTrialState, Row['icon']> = {
  queued: ICONS.queued,
  running: ICONS.starting,
  preempted: ICONS.queued,
  finished: ICONS.finished,
  failed: ICONS.failed,
  cancelled: ICONS.stopped,
  lost: ICONS.lost,
};

/** Trials without a run that are in the same state: how many, and why. */
export function trialsRow(state: ClusterTrialState, trials: readonly QueuedTrial[], shown: number): Row {
  const label =
    trials.length === 1
      ? t('1 trial {0}', trialWord(state))
      : t('{0} trials {1}', count(trials.length), trialWord(state));
  const parts = [
    ...reasonsOf(trials.map((trial) => trial.cluster)),
    ...(shown < trials.length ? [t('showing {0}', shown)] : []),
  ];
  return {
    label,
    description: parts.join(' · '),
    icon: CLUSTER_ICONS[state],
    capabilities: ['trials'],
    spoken: [label, ...parts].join(', '),
  };
}

/**
 * The state of a trial without a run: while its job runs, it has not created its folder yet; when its job was canceled,
 * it was stopped like one with a run.
 */
function trialWord(state: ClusterTrialState): string {
  if (state === 'running') return t('starting');
  return state === 'cancelled' ? t('stopped') : clusterWord(state);
}

/** The most frequent reasons first, each with its count if there are several. */
function reasonsOf(trials: readonly OnCluster[]): string[] {
  const counts = new Map<string, number>();
  for (const trial of trials) {
    const why = reasonWords(trial);
    if (why !== undefined) counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  return sorted.map(([why, n]) => (sorted.length > 1 ? `${why} (${count(n)})` : why));
}

/** A trial without a run. */
export function trialRow(
  { label, cluster }: Pick<QueuedTrial, 'label' | 'cluster'>,
  { trusted }: RowContext,
): Row {
  const why = reasonWords(cluster);
  const parts = [
    trialWord(cluster.state),
    ...(why === undefined ? [] : [why]),
    ...(cluster.node === undefined ? [] : [t('on {0}', cluster.node)]),
  ];
  return {
    label,
    description: parts.join(' · '),
    icon: CLUSTER_ICONS[cluster.state],
    capabilities: ['trial', ...trialCapabilities(cluster, trusted)],
    spoken: [label, ...parts].join(', '),
  };
}

function trialCapabilities(cluster: ClusterTrial, trusted: boolean): string[] {
  const can: Record<string, boolean> = {
    canStop: trusted && isWithScheduler(cluster),
    canResume: trusted && ['cancelled', 'lost', 'failed'].includes(cluster.state),
    canShowClusterLog: cluster.log !== undefined,
  };
  return Object.keys(can).filter((word) => can[word]);
}
