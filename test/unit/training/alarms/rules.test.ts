import { describe, expect, it } from 'vitest';
import type { Baseline } from '../../../../src/protocol/baseline';
import type { EvaluationMetrics, RunEvent } from '../../../../src/protocol/events';
import { AlarmWatch, type WatchedStep } from '../../../../src/training/alarms/alarm-watch';

const baseline: Baseline = { answer: 'always "ham"', metric: 'accuracy', value: 0.6 };
const RUN = { guessLoss: Math.log(2), baseline, steps: 1000, warmupSteps: 10 };
const metrics = (loss: number, accuracy = 0.9): EvaluationMetrics => ({ loss, accuracy, examples: 100 });
const record = (step: number, loss: number, gradientNorm = 1, learningRate = 1e-3): WatchedStep => ({
  ...{ step, loss, gradientNorm, learningRate },
});

/** A watch that has seen these losses from the first step on. */
function after(losses: readonly number[], norm: (step: number) => number = () => 1) {
  const watch = new AlarmWatch(RUN);
  losses.forEach((loss, i) => watch.stepped(record(i + 1, loss, norm(i + 1))));
  return watch;
}
const raised = (watch: AlarmWatch) => watch.raised.map(({ alarm, step, since }) => [alarm, step, since]);
const times = <T>(count: number, value: T): T[] => new Array<T>(count).fill(value);

describe('the training loss', () => {
  it('is far above its start when three of five steps are', () => {
    expect(raised(after([0.7, 0.7, 0.7, 0.7, 9, 9]))).toEqual([]);
    expect(raised(after([0.7, 0.7, 0.7, 0.7, 9, 9, 9]))).toEqual([['loss-above-start', 7, 2]]);
    // A model that begins far off may stay there.
    expect(raised(after(times(50, 9)))).toEqual([]);
  });

  it('has jumped when it is far above its average, and no longer a small loss', () => {
    expect(raised(after([0.7, ...times(30, 0.1), ...times(5, 0.75)]))).toEqual([['loss-jump', 34, 29]]);
    expect(raised(after([0.7, ...times(30, 0.001), ...times(5, 0.2)]))).toEqual([]);
    expect(raised(after([0.7, ...times(30, 0.3), ...times(5, 0.75)]))).toEqual([]);
    expect(raised(after([0.7, ...times(10, 0.1), ...times(5, 0.75)]))).toEqual([]);
  });
});

describe('the gradient norm', () => {
  it('has exploded when it is twenty times what it was', () => {
    const norms = (large: number) => (step: number) => (step > 30 ? large : 1);
    expect(raised(after(times(40, 0.7), norms(19)))).toEqual([]);
    expect(raised(after(times(40, 0.7), norms(21)))).toEqual([['gradient-explosion', 33, 28]]);
  });

  it('is not judged from almost nothing, by a single step, or by skipped steps', () => {
    expect(raised(after(times(40, 0.7), (step) => (step > 30 ? 0.9 : 1e-6)))).toEqual([]);
    expect(raised(after(times(40, 0.7), (step) => (step === 30 ? 1e6 : 1)))).toEqual([]);
    expect(raised(after(times(40, 0.7), (step) => (step > 30 ? NaN : 1)))).toEqual([]);
  });
});

describe('an evaluation', () => {
  it('overfits if its loss rises while the training loss falls', () => {
    const evaluated = (training: number, loss: number) => {
      const watch = after(times(20, 0.6));
      watch.evaluated(20, metrics(0.4));
      for (let step = 21; step <= 40; step++) watch.stepped(record(step, training));
      watch.evaluated(40, metrics(loss));
      return raised(watch);
    };
    expect(evaluated(0.3, 0.54)).toEqual([['overfitting', 40, 20]]);
    expect(evaluated(0.3, 0.5)).toEqual([]);
    expect(evaluated(0.61, 0.9)).toEqual([]);
  });

  it('is no better than the baseline if none so far is, at the second or at the end', () => {
    const watch = new AlarmWatch(RUN);
    watch.evaluated(20, metrics(0.7, 0.5));
    expect(raised(watch)).toEqual([]);
    watch.evaluated(40, metrics(0.6, 0.6));
    expect(watch.raised).toEqual([
      {
        ...{ alarm: 'no-better-than-baseline', step: 40, since: 0, value: 0.6, threshold: 0.6 },
        ...{ reference: 0.6, metric: 'accuracy', answer: 'always "ham"' },
      },
    ]);
    const better = new AlarmWatch(RUN);
    better.evaluated(20, metrics(0.7, 0.61));
    better.evaluated(40, metrics(0.7, 0.5));
    expect(raised(better)).toEqual([]);
    const short = new AlarmWatch({ ...RUN, steps: 20 });
    short.evaluated(20, metrics(0.7, 0.5));
    expect(raised(short)).toEqual([['no-better-than-baseline', 20, 0]]);
  });

  describe('is on a plateau', () => {
    const evaluated = (change: { loss?: number; training?: number; rate?: number; first?: number }) => {
      const { loss = 0.6, training = 0.6, rate = 1e-3, first = 20 } = change;
      const watch = after(times(first, 0.6));
      watch.evaluated(first, metrics(0.6));
      for (let step = first + 1; step <= first + 20; step++) watch.stepped(record(step, training, 1, rate));
      watch.evaluated(first + 20, metrics(loss));
      return raised(watch);
    };
    it('if neither loss has moved', () => {
      expect(evaluated({})).toEqual([['plateau', 40, 20]]);
      expect(evaluated({ loss: 0.6005 })).toEqual([['plateau', 40, 20]]);
    });
    it.each([
      ['the validation loss has moved', { loss: 0.602 }],
      ['the training loss has fallen', { training: 0.59 }],
      ['the learning rate is at its end', { rate: 9e-5 }],
      ['it was still warming up', { first: 9 }],
    ])('unless %s', (_, change) => expect(evaluated(change)).toEqual([]));

    it('unless the model has learned what there is to learn', () => {
      const watch = after(times(20, 0.01));
      watch.evaluated(20, metrics(0.06));
      for (let step = 21; step <= 40; step++) watch.stepped(record(step, 0.01));
      watch.evaluated(40, metrics(0.06));
      expect(raised(watch)).toEqual([]);
    });
  });

  it('is compared only with those of the same form', () => {
    const watch = after(times(20, 0.6));
    watch.evaluated(20, metrics(0.2));
    for (let step = 21; step <= 40; step++) watch.stepped(record(step, 0.3));
    watch.evaluated(40, metrics(0.9), 'static');
    expect(raised(watch)).toEqual([]);
  });
});

describe('a snapshot', () => {
  it('raises what most layers show', () => {
    const watch = new AlarmWatch(RUN);
    watch.observed(0, undefined);
    watch.observed(5, { saturated: 0.5, outside: 0.95 });
    expect(raised(watch)).toEqual([]);
    watch.observed(10, { saturated: 0.6, outside: 0.96 });
    expect(raised(watch)).toEqual([
      ['saturation', 10, 9],
      ['outside-support', 10, 9],
    ]);
  });
});

describe('a run', () => {
  it('raises each alarm once', () => {
    const watch = after([0.7, 0.7, 0.7, 0.7, ...times(40, 9)]);
    expect(watch.nonFinite(45, 'the loss is NaN')).toHaveLength(1);
    expect(watch.nonFinite(46, 'the loss is NaN')).toHaveLength(0);
    expect(raised(watch)).toEqual([
      ['loss-above-start', 7, 2],
      ['non-finite', 45, 44],
    ]);
  });

  it('raises the same alarms at the same steps, wherever it was interrupted', () => {
    // Falls, jumps, and falls again while the validation loss rises.
    const steps = Array.from({ length: 90 }, (_, i) =>
      record(i + 1, i < 40 ? 0.7 * 0.9 ** i : i < 50 ? 3 : 0.1, i > 60 ? 500 : 1),
    );
    const evaluationAt = (step: number): RunEvent[] =>
      step % 15 === 0
        ? ([{ kind: 'evaluation', step, metrics: metrics(step < 70 ? 0.3 : 0.9, 0.5) }] as RunEvent[])
        : [];
    const go = (watch: AlarmWatch, from: number, to: number, events: RunEvent[]) => {
      for (const step of steps.slice(from, to)) {
        const own = evaluationAt(step.step);
        const alarms = [
          ...watch.stepped(step),
          ...own.flatMap((e) =>
            watch.evaluated(step.step, metrics(e.kind === 'evaluation' ? e.metrics.loss : 0, 0.5)),
          ),
        ];
        events.push(...own, ...alarms.map((a) => ({ kind: 'alarm', ...a }) as RunEvent));
      }
      return events;
    };
    const whole = new AlarmWatch(RUN);
    go(whole, 0, 90, []);
    expect(new Set(whole.raised.map((a) => a.alarm))).toEqual(
      new Set([
        'loss-above-start',
        'loss-jump',
        'gradient-explosion',
        'no-better-than-baseline',
        'overfitting',
        'plateau',
      ]),
    );
    for (let at = 0; at <= 90; at++) {
      const events = go(new AlarmWatch(RUN), 0, at, []);
      const resumed = new AlarmWatch(RUN);
      resumed.replay(steps.slice(0, at), events);
      go(resumed, at, 90, []);
      expect(resumed.raised).toEqual(whole.raised);
    }
  });
});
