import { t } from '../base/l10n';
import { own } from '../base/names';
import { formatMetric, isMetric, type MetricName, score } from '../experiment/metrics';
import type { RunEvent } from './events';

/** The result of the best answer that does not depend on the input, on the validation examples. */
export interface Baseline {
  /** Such as: always "ham". */
  answer: string;
  metric: MetricName;
  value: number;
}

/** True if metrics are worse than the baseline; false if they lack its metric. */
export function isWorse(metrics: object, { metric, value }: Baseline): boolean {
  const found = own(metrics as Record<string, unknown>, metric);
  return typeof found === 'number' && score(metric, found) < score(metric, value);
}

/**
 * The constant answer that does better than a run's best evaluation; undefined if there is none, or before it is known.
 *
 * @param result the content of result.json
 */
export function betterAnswer({
  events,
  result,
}: {
  events: readonly RunEvent[];
  result?: Record<string, unknown> | undefined;
}): Baseline | undefined {
  const baseline = asBaseline(result?.baseline) ?? fromAlarm(events);
  const best = events.findLast((e) => e.kind === 'evaluation' && e.best);
  if (!baseline || best?.kind !== 'evaluation') return undefined;
  return isWorse(best.metrics, baseline) ? baseline : undefined;
}

/** Before the result, only the alarm has it. */
function fromAlarm(events: readonly RunEvent[]): Baseline | undefined {
  const alarm = events.find((e) => e.kind === 'alarm' && e.alarm === 'no-better-than-baseline');
  if (alarm?.kind !== 'alarm') return undefined;
  const { answer, metric, reference: value } = alarm;
  return asBaseline({ answer, metric, value });
}

function asBaseline(value: unknown): Baseline | undefined {
  const found = (value ?? {}) as Partial<Baseline>;
  return typeof found.answer === 'string' && isMetric(found.metric) && typeof found.value === 'number'
    ? (found as Baseline)
    : undefined;
}

/** "worse than a constant answer (always "ham": 61.2%)" */
export const worseWords = ({ answer, metric, value }: Baseline): string =>
  t('worse than a constant answer ({0}: {1})', answer, formatMetric(metric, value));
