import type { Alarm } from '../../../../src/protocol/alarms';
import type { ActivationShares } from '../../../../src/training/alarms/activation-shares';
import { AlarmWatch, type WatchedRun } from '../../../../src/training/alarms/alarm-watch';

/** The part of a run that its alarms depend on. */
export interface RecordedRun {
  name: string;
  /** Set if a study's learning-rate search did not choose it. */
  rejected?: true;
  run: WatchedRun;
  /** For each step. */
  loss: number[];
  learningRate: number[];
  /** Null for a skipped step. */
  gradientNorm: (number | null)[];
  /** Without loss if it was not finite. */
  evaluations: { step: number; loss?: number; metric?: number; form?: string }[];
  shares: (ActivationShares & { step: number })[];
}

/** The alarms that a run raises. */
export function alarmsIn({ run, loss, learningRate, gradientNorm, ...seen }: RecordedRun): Alarm[] {
  const watch = new AlarmWatch(run);
  const observe = (step: number) =>
    seen.shares.filter((s) => s.step === step).forEach((s) => watch.observed(step, s));
  observe(0);
  loss.forEach((value, i) => {
    const step = i + 1;
    const norm = gradientNorm[i] ?? NaN;
    watch.stepped({ step, loss: value, learningRate: learningRate[i], gradientNorm: norm });
    for (const e of seen.evaluations) if (e.step === step) watch.evaluated(step, metricsOf(run, e), e.form);
    observe(step);
  });
  return watch.raised;
}

const metricsOf = ({ baseline }: WatchedRun, { loss, metric }: RecordedRun['evaluations'][number]) =>
  loss === undefined ? undefined : { loss, [baseline.metric]: metric, examples: 1 };
