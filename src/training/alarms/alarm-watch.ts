import { alarmsOf } from '../../protocol/alarms';
import type { Baseline } from '../../protocol/baseline';
import { isAnyEvaluation } from '../../protocol/evaluations';
import type { Alarm, AlarmKind, EvaluationMetrics, RunEvent } from '../../protocol/events';
import { readScalars, type Scalars } from '../../runs/curve/scalars';
import type { Plan } from '../loop/training-plan';
import type { Task } from '../task/task';
import { type ActivationShares, observed } from './activation-shares';
import {
  BaselineRule,
  type Finding,
  GradientRule,
  IntervalLoss,
  LossRules,
  OverfittingRule,
  PlateauRule,
} from './alarm-rules';

/** The facts that the rules need about a run besides its curve. */
export interface WatchedRun {
  /** The loss of giving every answer the same probability. */
  guessLoss: number;
  baseline: Baseline;
  /** The steps of the whole run, and those of its warm-up. */
  steps: number;
  warmupSteps: number;
}

/** A record of the curve. */
export interface WatchedStep {
  step: number;
  loss: number;
  learningRate: number;
  /** NaN if the step was skipped. */
  gradientNorm: number;
}

/**
 * Applies the rules of docs/alarms.md to a run as it is trained. Each alarm is raised once. The alarms follow from the
 * curve, the evaluations and the snapshots alone: a resumed run, which gets the earlier ones again, raises the same
 * alarms at the same steps. Nothing here has any effect on training.
 */
export class AlarmWatch {
  private readonly loss: LossRules;
  private readonly gradient = new GradientRule();
  private readonly interval = new IntervalLoss();
  private readonly baseline: BaselineRule;
  private overfitting: OverfittingRule;
  private plateau: PlateauRule;
  private form: string | undefined;
  private known = new Set<AlarmKind>();
  /** In order. */
  raised: Alarm[] = [];

  constructor(private readonly run: WatchedRun) {
    this.loss = new LossRules(run.guessLoss);
    this.baseline = new BaselineRule(run.baseline, run.steps);
    this.overfitting = new OverfittingRule(run.guessLoss);
    this.plateau = new PlateauRule(run.guessLoss, run.warmupSteps);
  }

  /**
   * Takes the history of a run, whose alarms are in the journal.
   *
   * @param events of these steps
   */
  replay(steps: Iterable<WatchedStep>, events: readonly RunEvent[]): void {
    const evaluations = events.filter(isAnyEvaluation);
    let next = 0;
    const evaluate = (until: number) => {
      for (; next < evaluations.length && evaluations[next].step <= until; next++) {
        const { step, metrics, form } = evaluations[next];
        this.evaluated(step, metrics, form);
      }
    };
    for (const step of steps) {
      evaluate(step.step - 1);
      this.stepped(step);
    }
    evaluate(Infinity);
    this.raised = alarmsOf(events);
    this.known = new Set(this.raised.map(({ alarm }) => alarm));
  }

  /** @returns new alarms, as all of these */
  stepped({ step, loss, learningRate, gradientNorm }: WatchedStep): Alarm[] {
    this.interval.stepped(loss);
    this.plateau.stepped(learningRate);
    return this.raise([...this.loss.stepped(step, loss), ...this.gradient.stepped(step, gradientNorm)]);
  }

  /**
   * @param metrics undefined if they are not finite
   * @param form the adapter's: evaluations are compared with those of the same form
   */
  evaluated(step: number, metrics: EvaluationMetrics | undefined, form?: string): Alarm[] {
    const interval = this.interval.take();
    if (form !== this.form) {
      this.form = form;
      this.overfitting = new OverfittingRule(this.run.guessLoss);
      this.plateau = new PlateauRule(this.run.guessLoss, this.run.warmupSteps);
    }
    if (!metrics) return [];
    return this.raise([
      ...this.overfitting.evaluated(step, metrics.loss, interval),
      ...this.plateau.evaluated(step, metrics.loss, interval),
      ...this.baseline.evaluated(step, metrics),
    ]);
  }

  /** @param shares of a snapshot of the dynamic form; undefined if no layer has a σ */
  observed(step: number, shares: ActivationShares | undefined): Alarm[] {
    return shares ? this.raise(observed(step, shares)) : [];
  }

  /** @param what the quantity that is not finite, for a sentence */
  nonFinite(step: number, what: string): Alarm[] {
    return this.raise([{ alarm: 'non-finite', step, since: Math.max(0, step - 1), what }]);
  }

  private raise(findings: readonly Finding[]): Alarm[] {
    const fresh = findings.filter(({ alarm }) => !this.known.has(alarm));
    for (const alarm of fresh) {
      this.known.add(alarm.alarm);
      this.raised.push(alarm);
    }
    return fresh;
  }
}

/**
 * The watch of a run that starts or continues after `from` steps, as if it had not been interrupted.
 *
 * @param run its folder, whose curve ends at that step
 * @param events its journal
 */
export function alarmWatchOf(
  { data, kind }: Pick<Task, 'data' | 'kind'>,
  { totalSteps: steps, warmupSteps }: Pick<Plan, 'totalSteps' | 'warmupSteps'>,
  run: string,
  events: readonly RunEvent[],
  from: number,
): AlarmWatch {
  const watch = new AlarmWatch({
    ...{ guessLoss: kind.guessLoss(data), baseline: kind.baseline(data), steps, warmupSteps },
  });
  const before = events.filter((e) => 'step' in e && e.step <= from);
  watch.replay(stepsOf(readScalars(run)), before);
  return watch;
}

/** A column that a damaged file lacks is NaN, which no rule counts. */
export function* stepsOf(scalars: Scalars): Iterable<WatchedStep> {
  const column = (name: string) => scalars.column(name);
  const [step, loss] = [column('step'), column('loss')];
  const [learningRate, gradientNorm] = [column('learningRate'), column('gradientNorm')];
  for (let i = 0; i < scalars.records; i++)
    yield {
      step: step?.[i] ?? NaN,
      loss: loss?.[i] ?? NaN,
      learningRate: learningRate?.[i] ?? NaN,
      gradientNorm: gradientNorm?.[i] ?? NaN,
    };
}
