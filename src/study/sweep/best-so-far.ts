import { isBetter, type MetricName } from '../../experiment/metrics';
import type { PageTrial } from '../../protocol/panels/sweep';

/** A point of the best result so far, from which on it holds. */
export interface BestPoint {
  /** Seconds of training since the sweep began, or the trial's number. */
  x: number;
  value: number;
  trial: PageTrial;
}

const counts = ({ state }: PageTrial): boolean => state !== 'diverged' && state !== 'damaged';

/** The best trial; undefined before the first evaluation. Diverged ones do not count; equal ones by number. */
export const bestTrial = (trials: readonly PageTrial[], metric: MetricName): PageTrial | undefined =>
  [...trials]
    .sort((a, b) => a.number - b.number)
    .reduce<PageTrial | undefined>(
      (best, t) =>
        counts(t) &&
        t.metric !== undefined &&
        (best === undefined || isBetter(metric, t.metric, best.metric!))
          ? t
          : best,
      undefined,
    );

/** Results on an axis, and the best so far. */
export interface BestSoFar {
  /** Every trial's result, or, over time, each of its improvements. */
  all: BestPoint[];
  /** The results that were better than all before. */
  points: BestPoint[];
  /** The end of the axis. */
  end: number;
}

/** The best result in the order of the trials' numbers. */
export function bestByNumber(trials: readonly PageTrial[], metric: MetricName): BestSoFar {
  const all = trials
    .filter((t) => counts(t) && t.metric !== undefined)
    .sort((a, b) => a.number - b.number)
    .map((trial) => ({ x: trial.number, value: trial.metric!, trial }));
  return { all, points: improvements(all, metric), end: Math.max(0, ...trials.map((t) => t.number)) };
}

/**
 * The best result over time, in seconds. Time passes only while at least one trial trains, so that a night in which the
 * sweep was stopped takes no space.
 */
export function bestOverTime(trials: readonly PageTrial[], metric: MetricName): BestSoFar {
  const busy = union(trials.flatMap((t) => t.spans));
  const all = trials
    .filter(counts)
    .flatMap((trial) => trial.improved.map(([at, value]) => ({ at, value, trial })))
    .sort((a, b) => a.at - b.at || a.trial.number - b.trial.number)
    .map(({ at, value, trial }) => ({ x: secondsUntil(busy, at), value, trial }));
  return { all, points: improvements(all, metric), end: secondsUntil(busy, Infinity) };
}

function improvements(points: readonly BestPoint[], metric: MetricName): BestPoint[] {
  const found: BestPoint[] = [];
  for (const point of points) {
    const best = found.at(-1);
    if (best === undefined || isBetter(metric, point.value, best.value)) found.push(point);
  }
  return found;
}

type Span = readonly [from: number, to: number];

/** Disjoint intervals in ascending order. */
function union(spans: readonly Span[]): Span[] {
  const found: [number, number][] = [];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = found.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else found.push([from, to]);
  }
  return found;
}

const secondsUntil = (busy: readonly Span[], at: number): number =>
  busy.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, at) - from), 0) / 1000;
