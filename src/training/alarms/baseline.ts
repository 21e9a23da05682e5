import { isBetter, metricValue } from '../../experiment/metrics';
import type { Baseline } from '../../protocol/alarms/baseline';
import type { EvaluationMetrics } from '../../protocol/events';
import type { Finding } from './finding';

/** Evaluations that may be no better than the baseline: many models begin there. The run's last one may not. */
export const ALLOWED_EVALUATIONS = 1;

/** Watches for a run of which no evaluation is better than the best answer that ignores the input. */
export class BaselineRule {
  private evaluations = 0;
  private best: number | undefined;
  private better = false;

  /** @param steps of the whole run */
  constructor(
    private readonly baseline: Baseline,
    private readonly steps: number,
  ) {}

  /** @param metrics also those of an exploded model */
  evaluated(step: number, metrics: EvaluationMetrics): Finding[] {
    const { answer, metric, value: reference } = this.baseline;
    const value = metricValue(metrics, metric);
    if (Number.isNaN(value)) return [];
    this.evaluations++;
    if (this.best === undefined || isBetter(metric, value, this.best)) this.best = value;
    this.better ||= isBetter(metric, value, reference);
    if (this.better || (this.evaluations <= ALLOWED_EVALUATIONS && step < this.steps)) return [];
    return [
      {
        ...{ alarm: 'no-better-than-baseline', step, since: 0 },
        ...{ value: this.best, threshold: reference, reference, metric, answer },
      },
    ];
  }
}
