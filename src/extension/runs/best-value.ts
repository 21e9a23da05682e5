import { metricValue, type MetricName } from '../../experiment/metrics';
import { bestBy, isAnyEvaluation } from '../../protocol/evaluations';
import { hasDiverged } from '../../runs/outcome';
import type { RunSummary } from '../../runs/read';
import { metricOf } from './label';

/** A row that is drawn again for each change of a trial asks for those of thousands. */
const known = new WeakMap<RunSummary, { metric: MetricName; value: number }>();

/**
 * A run's best value, computed once; NaN if it has none, or has diverged.
 *
 * @param metric need not be the one that training chose by
 */
export function bestValueOf(run: RunSummary, metric = metricOf(run)): number {
  const before = known.get(run);
  if (before?.metric === metric) return before.value;
  const best = hasDiverged(run) ? undefined : bestBy(metric, run.events.filter(isAnyEvaluation));
  const value = best ? metricValue(best.metrics, metric) : NaN;
  known.set(run, { metric, value });
  return value;
}
