import { basename } from 'node:path';
import { bytes, count } from '../../base/number-text';
import { t } from '../../base/l10n';
import { formatMetric, isBetter, metricInfo, type MetricName } from '../../experiment/metrics';
import { shortKeys } from '../../experiment/sweep';
import type { ClusterFile } from '../../protocol/run-files/cluster';
import { bestValueOf, isPruned, stopReason } from '../runs/label';
import type { RunEntry, ShownState, SweepEntry } from '../runs/store';
import { clusterName, clusterWord, isUnfollowed } from './cluster/cluster-words';
import { trialsWithoutRun } from './cluster/trial-row';
import { ICONS, stateName, type Row, type RowContext } from './run-row';
import { executorName } from '../../experiment/cluster';
import { claimOfSweep, type ClaimPhase } from '../../runs/claim-folder';

/** The trials of each sweep that has any or is active, and the runs that belong to none. */
export function bySweep(
  sweeps: readonly SweepEntry[],
  runs: readonly RunEntry[],
): { groups: { sweep: SweepEntry; runs: RunEntry[] }[]; others: RunEntry[] } {
  const known = new Set(sweeps.map((s) => basename(s.folder)));
  const groups = sweeps
    .map((sweep) => ({ sweep, runs: trialsOf(sweep, runs) }))
    .filter(({ sweep, runs }) => runs.length > 0 || sweep.state === 'running' || sweep.cluster !== undefined);
  return { groups, others: runs.filter((r) => r.trial === undefined || !known.has(r.trial.sweep)) };
}

/** The runs of a sweep's trials, of those of its experiment. */
export function trialsOf(sweep: SweepEntry, runs: readonly RunEntry[]): RunEntry[] {
  const id = basename(sweep.folder);
  return runs.filter((r) => r.trial?.sweep === id);
}

/** A sweep as a group of its trials: its progress and the best so far. */
export function sweepRow(sweep: SweepEntry, runs: readonly RunEntry[], { trusted }: RowContext): Row {
  const { record, state, cluster } = sweep;
  const unfollowed = isUnfollowed(sweep);
  const counts = countStates(runs);
  const of = (trials: TrialState) => counts.get(trials) ?? 0;
  const done = of('finished') + of('failed') + of('pruned');
  const planned = plannedTrials(record);
  const best = bestText(runs, record.metric);
  const parts = [
    // First, since a narrow side bar cuts the end.
    cluster?.unreachable ? t('{0} is not responding', clusterName(cluster)) : '',
    unfollowed ? t('not followed') : '',
    done === planned ? trialsText(planned) : t('{0} of {1}', count(done), count(planned)),
    ...(cluster ? clusterParts(sweep, cluster, runs, counts) : []),
    best === undefined ? '' : t('best {0}', best),
    of('pruned') > 0 ? t('{0} pruned', count(of('pruned'))) : '',
    of('failed') > 0 ? t('{0} failed', count(of('failed'))) : '',
    state === 'running' || unfollowed ? '' : leftWords(sweep),
    [...shortKeys(record.varied).values()].join(', '),
  ].filter((part) => part !== '');
  // Short, like a run's: a narrow side bar truncates the end.
  const phase = claimOfSweep(sweep.folder)?.phase;
  const label = phase ? phaseName(phase) : t('Sweep · {0}', basename(sweep.folder).slice(0, 4));
  return {
    label,
    description: parts.join(' · '),
    icon: unfollowed || cluster?.unreachable ? ICONS.lost : ICONS[state],
    capabilities: [
      'sweep',
      'canOpenSweep',
      // Trials can be in a cluster's queue while nobody follows the sweep.
      ...(state === 'running' || (trusted && unfollowed && !phase) ? ['canStopSweep'] : []),
      // Those of a claim are stopped and continued with it.
      ...(state !== 'running' && trusted && !phase && isIncomplete(sweep, runs) ? ['canGoOn'] : []),
    ],
    spoken: [label, ...(unfollowed ? [] : [stateName(state)]), ...parts].join(', '),
  };
}

/** The sweep of a claim, which has only one of each. */
export const phaseName = (phase: ClaimPhase): string =>
  phase === 'search' ? t('Search of the claim') : t('Test of the claim');

/** The place where it runs, and the trials that wait or that were lost. */
function clusterParts(
  sweep: SweepEntry,
  cluster: ClusterFile,
  runs: readonly RunEntry[],
  counts: ReadonlyMap<TrialState, number>,
): string[] {
  const waiting = trialsWithoutRun(sweep, runs);
  const noted = (['queued', 'preempted', 'lost'] as const).map(
    (state) => [(waiting.get(state)?.length ?? 0) + (counts.get(state) ?? 0), state] as const,
  );
  return [
    cluster.unreachable ? '' : executorName(cluster.executor),
    sweep.state === 'running' && cluster.sending
      ? t('sending models and data: {0} of {1}', bytes(cluster.sending.sent), bytes(cluster.sending.bytes))
      : '',
    ...noted.map(([n, state]) => (n > 0 ? `${count(n)} ${clusterWord(state)}` : '')),
  ];
}

export const trialsText = (n: number): string => (n === 1 ? t('1 trial') : t('{0} trials', count(n)));

type TrialState = ShownState | 'pruned' | 'preempted';

/** The number of a sweep's runs in each state. */
function countStates(runs: readonly RunEntry[]): Map<TrialState, number> {
  const counts = new Map<TrialState, number>();
  for (const run of runs) {
    const isPreempted = run.state === 'queued' && stopReason(run.run) === 'preempted';
    const state = isPreempted ? 'preempted' : isPruned(run) ? 'pruned' : run.state;
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return counts;
}

/** True if trials are left to train. */
export const isIncomplete = ({ record }: SweepEntry, runs: readonly RunEntry[]): boolean =>
  record.ended !== undefined || doneTrials(runs) < plannedTrials(record);

/** The reason why it is incomplete; empty if it is complete. */
function leftWords({ record: { ended }, state }: SweepEntry): string {
  if (ended?.kind === 'owned') return t('owned by another machine');
  if (ended?.kind === 'inputs') return t('files have changed');
  return state === 'finished' ? '' : stateName(state);
}

/** Number of trials to train, as far as it is known. */
export const plannedTrials = ({ trials }: SweepEntry['record']): number =>
  trials.filter((trial) => trial.planned && !trial.passedOver).length;

/** Trials that are done: finished, failed or pruned. */
export const doneTrials = (runs: readonly RunEntry[]): number =>
  runs.filter((r) => r.state === 'finished' || r.state === 'failed' || isPruned(r)).length;

/** "61.2% accuracy"; undefined before the first evaluation. Trials that diverged do not count. */
export function bestText(runs: readonly RunEntry[], metric: MetricName): string | undefined {
  const best = bestValue(
    runs.flatMap(({ run }) => run ?? []),
    metric,
  );
  return best === undefined ? undefined : `${formatMetric(metric, best)} ${metricInfo(metric).label}`;
}

/** The best value among runs; undefined if there is none. Runs that diverged do not count. */
export function bestValue(
  runs: readonly NonNullable<RunEntry['run']>[],
  metric: MetricName,
): number | undefined {
  let best: number | undefined;
  for (const run of runs) {
    const value = bestValueOf(run, metric);
    if (best === undefined ? !Number.isNaN(value) : isBetter(metric, value, best)) best = value;
  }
  return best;
}
