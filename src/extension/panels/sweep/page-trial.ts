import { t } from '../../../base/l10n';
import { type MetricName, metricValue, score } from '../../../experiment/metrics';
import type { Settings } from '../../../experiment/sweep';
import { troubleCounts } from '../../../protocol/alarms';
import { bestBy, type Evaluation, isAnyEvaluation } from '../../../protocol/evaluations';
import type { PageTrial, PageTrialState } from '../../../protocol/panels/sweep';
import { hasDiverged } from '../../../runs/outcome';
import type { RunSummary } from '../../../runs/run-summary';
import type { TrialRecord } from '../../../runs/sweep/record';
import { isPruned, stopReason } from '../../runs/label';
import { isActive } from '../../runs/shown-state';
import type { OnCluster, RunEntry } from '../../runs/store';
import { reasonWords } from '../../words/cluster/cluster-words';

/**
 * A trial for the page.
 *
 * @param called its label, and the number of its run if there is one
 * @param entry its run, once that exists
 * @param can the commands for it
 * @param cluster its state according to the scheduler of a cluster
 */
export function pageTrial(
  { id, number, planned, passedOver }: TrialRecord,
  settings: Settings,
  called: Pick<PageTrial, 'name' | 'runNumber'>,
  entry: RunEntry | undefined,
  { metric, can }: { metric: MetricName; can: string[] },
  cluster?: OnCluster,
): PageTrial {
  const none = { step: 0, steps: 0, epochs: 0, spans: [], improved: [] };
  const said = cluster && clusterText(cluster);
  const base = {
    id,
    number,
    ...called,
    settings,
    can,
    ...none,
    cluster: said,
  };
  if (!entry && cluster && planned) return { ...base, state: WITHOUT_RUN[cluster.state] };
  if (!entry) return { ...base, state: passedOver ? 'passed-over' : planned ? 'queued' : 'dropped' };
  const { folder, run, error } = entry;
  const shown = { ...base, run: folder, state: stateOf(entry, planned) };
  if (!run) return { ...shown, ...(error && { error: error.message }) };
  const alarms = troubleCounts(run.events);
  return {
    ...shown,
    ...progressOf(run),
    ...resultOf(run, metric),
    spans: spansOf(run, entry.state),
    alarms,
  };
}

/** The states of a trial without a run: one that the scheduler has started creates its folder next. */
const WITHOUT_RUN: Record<OnCluster['state'], PageTrialState> = {
  queued: 'queued',
  preempted: 'preempted',
  running: 'starting',
  finished: 'finished',
  failed: 'failed',
  cancelled: 'stopped',
  lost: 'lost',
};

/** The reason why it waits, where it runs, or how its job ended; and that it was lost before. */
function clusterText(cluster: OnCluster): string | undefined {
  const { state, node, lost } = cluster;
  const now = state === 'running' ? node && t('on {0}', node) : reasonWords(cluster);
  const before = lost && state !== 'lost' ? reasonWords({ code: lost.code }) : undefined;
  const parts = [
    ...(now === undefined || state === 'finished' ? [] : [now]),
    ...(before === undefined ? [] : [t('lost before: {0}', before)]),
  ];
  return parts.length > 0 ? parts.join(' · ') : undefined;
}

function stateOf({ state, run }: RunEntry, planned: boolean): PageTrialState {
  if (!planned && state !== 'finished') return 'dropped';
  if (state === 'queued') return stopReason(run) === 'preempted' ? 'preempted' : 'queued';
  if (state === 'failed') return run && hasDiverged(run) ? 'diverged' : 'failed';
  if (state !== 'stopped') return state;
  return isPruned({ state, run }) ? 'pruned' : stopReason(run) === 'rung' ? 'waiting' : 'stopped';
}

function progressOf({ events, status, result }: RunSummary) {
  const started = events.findLast((e) => e.kind === 'started');
  const failed = events.findLast((e) => e.kind === 'failed');
  const finished = Number(result?.steps);
  return {
    step: Number.isFinite(finished) ? finished : (status?.step ?? 0),
    steps: status?.steps || (started?.steps ?? 0),
    epochs: started?.epochs ?? 0,
    ...(failed && status?.state === 'failed' && { error: failed.message }),
  };
}

/** The result by the sweep's metric; nothing of a trial that diverged. */
function resultOf(run: RunSummary, metric: MetricName): Partial<PageTrial> {
  if (hasDiverged(run)) return {};
  const evaluations = run.events.filter(isAnyEvaluation);
  const best = bestBy(metric, evaluations);
  if (!best) return {};
  const form = evaluations.at(-1)?.form;
  const counted = evaluations.filter((e): e is Evaluation => e.kind === 'evaluation' && e.form === form);
  const improved: [number, number][] = [];
  for (const { t, metrics } of counted) {
    const value = metricValue(metrics, metric);
    const before = improved.at(-1)?.[1];
    if (before === undefined || score(metric, value) > score(metric, before)) improved.push([t, value]);
  }
  const value = metricValue(best.metrics, metric);
  return Number.isNaN(value) ? {} : { metric: value, loss: best.metrics.loss, improved };
}

const BEGINS = ['requested', 'device', 'started', 'resumed'];
const ENDS = ['stopped', 'failed', 'finished'];

/**
 * The times when a run's trainers worked on it, in ms since 1970: from the first event of each to its last, or, for the
 * newest, to its last sign of life.
 */
function spansOf({ events, status }: RunSummary, state: RunEntry['state']): [number, number][] {
  const spans: [number, number][] = [];
  let open = false;
  for (const { kind, t } of events) {
    const begins = BEGINS.includes(kind);
    // A trainer that was killed left no end.
    if (kind === 'resumed' || (begins && !open)) spans.push([t, t]);
    if (begins) open = true;
    // A queue that prunes a trial writes to the journal of one that has ended.
    if (open) spans.at(-1)![1] = t;
    if (ENDS.includes(kind)) open = false;
  }
  const alive = status && (isActive(state) || open) ? status.heartbeat : undefined;
  if (alive !== undefined && spans.length > 0) spans.at(-1)![1] = Math.max(spans.at(-1)![1], alive);
  return spans;
}
