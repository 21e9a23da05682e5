import type { Alarm } from '../../../../src/protocol/alarms/alarms';
import type { EvaluationMetrics } from '../../../../src/protocol/events';
import type { ActivationShares } from '../../../../src/trainer/alarms/activations';
import { AlarmWatch, type WatchedRun } from '../../../../src/trainer/alarms/watch';

/** What the alarms of a run follow from. */
export interface RecordedRun {
  name: string;
  run: WatchedRun;
  /** Loss, learning rate and gradient norm of each step. */
  steps: [number, number, number | null][];
  evaluations: { step: number; metrics?: EvaluationMetrics; form?: string }[];
  shares: (ActivationShares & { step: number })[];
}

/** The alarms that a run raises. */
export function alarmsIn({ run, steps, evaluations, shares }: RecordedRun): Alarm[] {
  const watch = new AlarmWatch(run);
  const observe = (step: number) =>
    shares.filter((s) => s.step === step).forEach((s) => watch.observed(step, s));
  observe(0);
  steps.forEach(([loss, learningRate, gradientNorm], i) => {
    const step = i + 1;
    watch.stepped({ step, loss, learningRate, gradientNorm: gradientNorm ?? NaN });
    for (const e of evaluations) if (e.step === step) watch.evaluated(step, e.metrics, e.form);
    observe(step);
  });
  return watch.raised;
}
