import { formatMetric, isMetric, metricInfo, metricValue } from '../../src/experiment/metrics';
import { betterAnswer, worseWords } from '../../src/protocol/baseline';
import { isTroubled, troubleCounts } from '../../src/protocol/alarms';
import type { RunEvent } from '../../src/protocol/events';
import { preparingText } from '../../src/protocol/preparing';
import { t } from '../../src/base/l10n';
import { formatCount, formatLoss } from './run-numbers';
import type { RunData } from './run-data';
import { LOSS, smoothedRecords } from './quantities';
import { weightFor } from '../../src/study/smoothing';

/** Number of latest steps from which the remaining time is estimated. */
const PACE_STEPS = 50;
/** Weight of the past for the trend of the loss. */
const TREND_WEIGHT = 0.9;

/** The state in plain language, with what it alone would hide: "Finished · 9 evaluations diverged, 2 alarms". */
export const stateWords = (run: RunData): string =>
  [stateName(run), troubleCounts(run.events)].filter(Boolean).join(' · ');

function stateName(run: RunData): string {
  const state = run.facts?.state ?? 'starting';
  switch (state) {
    case 'queued':
      return t('Queued on the cluster');
    case 'starting':
      return t('Starting');
    case 'running':
      return t('Running');
    case 'finished':
      if (isWorse(run)) return t('Finished, worse than a constant answer');
      return stoppedEarly(run) ? t('Finished early: no more improvement') : t('Finished');
    case 'stopped':
      if (!isUntrainedImport(run)) return t('Stopped');
      return run.imported?.combination ? t('Combined') : t('Imported');
    case 'failed':
      return failure(run)?.error === 'diverged' ? t('Diverged') : t('Failed');
    case 'lost':
      return t('Lost: no trainer is running');
    case 'damaged':
      return t('Damaged');
    case 'gone':
      return t('Folder not found');
  }
}

const answerOver = (run: RunData) => betterAnswer({ events: run.events, result: run.facts?.result });

/** True if it has finished, and a constant answer does better. */
const isWorse = (run: RunData): boolean => run.facts?.state === 'finished' && answerOver(run) !== undefined;

/** True if the state alone would look as if all were well. */
export const isAlarming = (run: RunData): boolean =>
  isWorse(run) || (!['failed', 'lost', 'damaged'].includes(run.facts?.state ?? '') && isTroubled(run.events));

/** The problem with a finished run's result; undefined if there is none. */
export function worseResult(run: RunData): string | undefined {
  const better = isWorse(run) && answerOver(run);
  return better ? t('The best evaluation is {0}.', worseWords(better)) : undefined;
}

/** Nothing was stopped. */
const isUntrainedImport = (run: RunData) =>
  run.imported !== undefined && run.facts?.state === 'stopped' && run.records === 0;

const stoppedEarly = (run: RunData) =>
  run.events.some((e) => e.kind === 'stopped' && e.reason === 'early-stopping');

export const isActive = (run: RunData): boolean =>
  run.facts?.state === 'running' || run.facts?.state === 'starting';

/** Seconds of training so far, excluding pauses; `now` in ms since 1970 by the host's clock. */
export function elapsed(run: RunData, now: number): number {
  const time = run.x('time');
  const last = time.length > 0 ? time[time.length - 1] : 0;
  if (!isActive(run)) return last;
  const since = Math.max(
    run.records > 0 ? run.column('time')[run.records - 1] : 0,
    ...run.events.filter((e) => e.kind === 'started' || e.kind === 'resumed').map((e) => e.t),
  );
  return since > 0 ? last + Math.max(0, now - since) / 1000 : NaN;
}

/** Seconds to the last step at the pace of the latest steps; undefined if unknown. */
export function timeLeft(run: RunData): number | undefined {
  const total = run.totalSteps;
  const n = run.records;
  if (run.facts?.state !== 'running' || total === undefined || n < 2) return undefined;
  const back = Math.max(0, n - 1 - PACE_STEPS);
  const time = run.x('time');
  const step = run.column('step');
  const pace = (time[n - 1] - time[back]) / (step[n - 1] - step[back]);
  return Math.max(0, total - step[n - 1]) * pace;
}

/** Median duration of the latest steps in seconds, excluding evaluations; undefined before the first. */
export function secondsPerStep(run: RunData): number | undefined {
  if (run.records === 0) return undefined;
  const latest = run.column('seconds').slice(-PACE_STEPS).sort();
  return latest[latest.length >> 1];
}

/** The training loss, smoothed as suits the run's length, so that one noisy batch is not taken for the result. */
export function trainingLoss(run: RunData): { value: number; smoothed: boolean } | undefined {
  const n = run.records;
  if (n === 0) return undefined;
  const weight = weightFor(n);
  const values = weight > 0 ? smoothedRecords(LOSS, run, weight) : run.column('loss');
  return { value: values[n - 1], smoothed: weight > 0 };
}

/** "Loss 0.83 at step 412 of 900, falling. Validation loss 0.91." */
export function lossSummary(run: RunData): string {
  const last = run.measured.at(-1);
  const validation = last && t('Validation loss {0}.', lastLoss(run)!);
  const counts = troubleCounts(run.events);
  return [trainingSummary(run), validation, counts && `${counts}.`].filter(Boolean).join(' ');
}

/** The validation loss of the last evaluation; undefined before the first. */
export function lastLoss(run: RunData): string | undefined {
  const last = run.measured.at(-1);
  if (!last) return undefined;
  const loss = formatLoss(run.metric(last, 'loss'));
  return last.diverged ? t('{0}, diverged', loss) : loss;
}

function trainingSummary(run: RunData): string {
  const n = run.records;
  if (n === 0) return t('No steps have been trained yet.');
  const loss = formatLoss(trainingLoss(run)!.value);
  const [step, total] = [run.lastStep, run.totalSteps ?? run.lastStep].map(formatCount);
  const smooth = smoothedRecords(LOSS, run, TREND_WEIGHT);
  const change = smooth[n - 1] / smooth[Math.max(0, n - 1 - Math.max(10, Math.round(n / 10)))] - 1;
  if (n > 10 && change < -0.005) return t('Loss {0} at step {1} of {2}, falling.', loss, step, total);
  if (n > 10 && change > 0.005) return t('Loss {0} at step {1} of {2}, rising.', loss, step, total);
  if (n > 10) return t('Loss {0} at step {1} of {2}, level.', loss, step, total);
  return t('Loss {0} at step {1} of {2}.', loss, step, total);
}

/** The run's best value of the experiment's metric. */
export function headline(run: RunData): { name: string; value: string; step: number } | undefined {
  const best = run.evaluations.findLast((e) => e.best);
  const metric = run.facts?.spec?.training?.metric;
  if (!best || !isMetric(metric)) return undefined;
  const name = t('Best {0}', t(metricInfo(metric).label));
  const value = formatMetric(metric, metricValue(best.metrics, metric));
  const better = answerOver(run);
  return { name, value: better ? `${value}, ${worseWords(better)},` : value, step: best.step };
}

/** The error that ended the run; only for its last segment. */
export function failure(run: RunData): Extract<RunEvent, { kind: 'failed' }> | undefined {
  if (run.facts?.state !== 'failed') return undefined;
  return run.events.findLast((e) => e.kind === 'failed');
}

/** Without duplicates: a resumed run warns of the same data again. */
export const warnings = (run: RunData): string[] => [
  ...new Set(
    run.events.flatMap((e) => (e.kind === 'warning' ? [e.message] : e.kind === 'resumed' ? e.warnings : [])),
  ),
];

/** Shown before the first step. */
export function emptyWords(run: RunData): string {
  switch (run.facts?.state) {
    case 'starting':
    case undefined: {
      const preparing = run.facts?.status?.preparing;
      return preparing ? `${preparingText(preparing)}…` : t('Preparing…');
    }
    case 'running':
      return t('The first step is being trained…');
    case 'gone':
    case 'damaged':
      return t('This run cannot be shown.');
    default:
      return isUntrainedImport(run)
        ? t(
            'This adapter has not been trained here yet. Resume continues its training; its metrics are below.',
          )
        : t('No steps were trained. See the trainer log for details.');
  }
}
