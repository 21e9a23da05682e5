import { relative } from 'node:path';
import { bytes, count, durationText } from '../../../base/number-text';
import type { Sending } from '../../../executors/cluster/cluster';
import {
  bestFirst,
  formatMetric,
  metricInfo,
  type MetricName,
  metricValue,
  score,
} from '../../../experiment/metrics';
import { trainedCount } from '../../../experiment/sweep';
import { clusterReason } from '../../../protocol/cluster-reasons';
import { endReason, isExplained } from '../../../protocol/run-files/unexpected-end';
import { bestOf, isBusy, type TrialView } from '../../../runs/sweep/look';
import type { SweepRecord } from '../../../runs/sweep/record';
import type { TrialNames } from '../../../runs/sweep/trial-names';
import type { Verdict } from '../../../sweeps/halving';
import type { SweepOutcome } from '../../../sweeps/sweep-queue';
import { asControl } from '../../output';

/** Reports the progress of a sweep. */
export interface SweepView {
  plan(text: string): void;
  /** The first call, except for warnings and for the end. */
  begin(record: SweepRecord): void;
  looked(trials: readonly TrialView[], verdicts: ReadonlyMap<string, Verdict>): void;
  warn(message: string): void;
  sending(now: Sending): void;
  end(record: SweepRecord, outcome: SweepOutcome, report: string): void;
}

/** The shortest time between two summaries in a log. */
const LOG_MS = 30_000;
const BAR = 12;
/** Trials on a cluster that are drawn; the summary counts the others. */
const BARS = 20;

/** For a log: a line when a trial ends or pauses, and a summary from time to time. */
export class SweepLines implements SweepView {
  private readonly said = new Map<string, string>();
  private readonly restarts = new Map<string, number>();
  private summed = performance.now();
  private lastSummary = '';
  private first = true;
  protected record!: SweepRecord;

  constructor(
    protected readonly names: TrialNames,
    protected readonly out: NodeJS.WriteStream = process.stderr,
  ) {}

  begin(record: SweepRecord): void {
    this.record = record;
  }

  plan(text: string): void {
    process.stdout.write(text);
  }

  looked(trials: readonly TrialView[], verdicts: ReadonlyMap<string, Verdict>): void {
    for (const trial of trials) {
      const state = `${trial.state} ${trial.reason ?? ''}`;
      const before = this.said.get(trial.record.id);
      this.said.set(trial.record.id, state);
      // The plan already shows the states at the first look.
      if (!this.first && before !== state && !isBusy(trial) && trial.state !== 'waiting')
        this.line(this.words(trial));
      const { restarts = 0 } = trial.cluster ?? {};
      const known = this.restarts.get(trial.record.id) ?? 0;
      if (!this.first && restarts > known)
        this.line(`${this.names.of(trial.record)} was requeued at step ${trial.step}`);
      if (restarts !== known) this.restarts.set(trial.record.id, restarts);
    }
    this.first = false;
    if (performance.now() - this.summed < LOG_MS) return;
    this.summed = performance.now();
    const text = summary(trials, verdicts, this.record, this.names);
    if (text !== this.lastSummary) this.line(text);
    this.lastSummary = text;
  }

  warn(message: string): void {
    this.line(`warning: ${message}`);
  }

  sending(now: Sending): void {
    if (now.sent > 0 && performance.now() - this.summed < LOG_MS) return;
    this.summed = performance.now();
    this.line(sendingText(now));
  }

  end(_: SweepRecord, __: SweepOutcome, report: string): void {
    process.stdout.write(report);
  }

  protected line(text: string): void {
    this.out.write(`${text}\n`);
  }

  private words(trial: TrialView): string {
    const value = valueOf(trial, this.record.metric);
    const parts = [this.names.of(trial.record), stateText(trial), value];
    const where = trial.folder === undefined ? '' : ` · ${pathOf(trial)}`;
    const again = trial.cluster && trial.state === 'lost' ? ' · will be submitted again' : '';
    return `${parts.filter((p) => p !== '').join(' · ')}${trial.state === 'failed' ? `: ${trial.error?.message}` : where}${again}`;
  }
}

/** For a terminal: the same lines, then one for each running trial and a summary, redrawn in place. */
export class SweepScreen extends SweepLines {
  private drawn = 0;
  private readonly began = performance.now();
  private share: number | undefined;

  override looked(trials: readonly TrialView[], verdicts: ReadonlyMap<string, Verdict>): void {
    const block = [
      ...trials
        .filter((t) => isBusy(t) && t.state !== 'queued')
        .slice(0, BARS)
        .map((t) => bar(t, this.record.metric, this.names)),
      `${summary(trials, verdicts, this.record, this.names)}${this.timeLeft(trials, verdicts)}`,
    ];
    this.clear();
    super.looked(trials, verdicts);
    const width = (this.out.columns || 120) - 1;
    this.out.write(block.map((line) => `${line.slice(0, width)}\n`).join(''));
    this.drawn = block.length;
  }

  override warn(message: string): void {
    this.clear();
    super.warn(message);
  }

  override sending(now: Sending): void {
    this.clear();
    this.line(sendingText(now));
    this.drawn = 1;
  }

  override end(record: SweepRecord, outcome: SweepOutcome, report: string): void {
    this.clear();
    super.end(record, outcome, report);
  }

  private clear(): void {
    if (this.drawn > 0) asControl(() => this.out.write(`\x1b[${this.drawn}A\x1b[J`));
    this.drawn = 0;
  }

  /** Estimated from the progress since this process began; empty for a sweep that prunes or searches. */
  private timeLeft(trials: readonly TrialView[], verdicts: ReadonlyMap<string, Verdict>): string {
    const isSearching = [...verdicts.values()].some((v) => v.kind === 'wait');
    if (this.record.spec.pruning || isSearching) return '';
    const planned = trials.filter((t) => t.record.planned && !t.record.passedOver);
    const done = planned.reduce((n, t) => n + shareOf(t), 0);
    this.share ??= done;
    const rate = (done - this.share) / (performance.now() - this.began);
    return rate > 0 ? ` · ${durationText((planned.length - done) / rate / 1000)} left` : '';
  }
}

const sendingText = ({ files, bytes: all, sent }: Sending): string =>
  `Sending ${files === 1 ? '1 file' : `${count(files)} files`} (${bytes(all)}) to the cluster: ${Math.floor((100 * sent) / Math.max(all, 1))}%`;

const shareOf = ({ state, step, steps }: TrialView): number =>
  state === 'finished' || state === 'failed' ? 1 : steps > 0 ? step / steps : 0;

function bar(trial: TrialView, metric: MetricName, names: TrialNames): string {
  const { step, steps, state } = trial;
  const filled = Math.round(shareOf(trial) * BAR);
  const at = state === 'starting' || steps === 0 ? 'preparing' : `step ${step}/${steps}`;
  const parts = [names.of(trial.record), at, valueOf(trial, metric)].filter((p) => p !== '');
  return `  ${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${parts.join(' · ')}`;
}

function summary(
  trials: readonly TrialView[],
  verdicts: ReadonlyMap<string, Verdict>,
  record: SweepRecord,
  names: TrialNames,
): string {
  const planned = trials.filter((t) => t.record.planned);
  const is = (kind: Verdict['kind']) => planned.filter((t) => verdicts.get(t.record.id)?.kind === kind);
  const failed = planned.filter((t) => t.state === 'failed').length;
  const finished = is('over').length - failed;
  const settings = planned.map((t) => t.record.settings);
  const toTrain = trainedCount(settings, record.spec.learningRateSearch);
  const queued = trials.filter((t) => t.state === 'queued');
  const busy = trials.filter(isBusy).length - queued.length;
  const [best] = ranked(trials, record.metric);
  const value = best && !best.diverged && valueOf(best, record.metric);
  return [
    `${finished} of ${toTrain} finished`,
    queued.length && queuedText(queued),
    busy && `${busy} running`,
    failed && `${failed} failed`,
    is('prune').length &&
      `${is('prune').length} ${record.spec.learningRateSearch ? 'passed over' : 'pruned'}`,
    value && `best ${value} (${names.of(best.record)})`,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** With the reason that most of them have. */
function queuedText(queued: readonly TrialView[]): string {
  const counts = new Map<string, number>();
  for (const { cluster } of queued) {
    const why = cluster && clusterReason(cluster);
    if (why !== undefined) counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  return `${queued.length} queued${most ? ` (${most[0]})` : ''}`;
}

/** "accuracy 61.2%", the best so far; empty before the first evaluation. */
export function valueOf(trial: TrialView, metric: MetricName): string {
  const best = bestOf(trial, metric);
  return best ? `${metricInfo(metric).label} ${formatMetric(metric, metricValue(best.metrics, metric))}` : '';
}

/** Best first; diverged trials and those without an evaluation last; ties by number. */
export function ranked(trials: readonly TrialView[], metric: MetricName): TrialView[] {
  const value = (t: TrialView) => {
    const best = bestOf(t, metric);
    return best && !t.diverged ? score(metric, metricValue(best.metrics, metric)) : -Infinity;
  };
  // Once for each, not for each pair that is compared.
  const worth = new Map(trials.map((t) => [t, value(t)]));
  return [...trials].sort(
    (a, b) => bestFirst(worth.get(a)!, worth.get(b)!) || a.record.number - b.record.number,
  );
}

/** A run's folder for a command line: relative or absolute, whichever is shorter. */
export function pathOf({ folder }: TrialView): string {
  const near = relative(process.cwd(), folder!);
  return near.length < folder!.length ? near : folder!;
}

/** A trial's state in one word, with the step if it has not finished, and a cluster's addition to it. */
export function stateText(trial: TrialView): string {
  const { state, cluster, end } = trial;
  const own = state === 'lost' && end && isExplained(end) ? endReason(end) : undefined;
  const why = cluster && (state === 'lost' || state === 'queued') ? clusterReason(cluster) : own;
  return why === undefined ? ownText(trial) : `${ownText(trial)} (${why})`;
}

function ownText(trial: TrialView): string {
  const { state, reason, step } = trial;
  const at = step > 0 ? ` at step ${step}` : '';
  if (state === 'stopped' && reason === 'pruned') return `pruned${at}`;
  if (trial.diverged) return `diverged${at}`;
  if (state === 'stopped' && reason === 'rung') return `waiting${at}`;
  if (state === 'finished' || state === 'waiting' || state === 'starting') return state;
  return `${state}${at}`;
}
