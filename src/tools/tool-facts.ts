import { inEnglish } from '../base/l10n';
import { flatSettings } from '../experiment/differing-settings';
import { metricValue } from '../experiment/metrics';
import { type AnyEvaluation, isAnyEvaluation, scoresOf } from '../protocol/evaluations';
import type { RunEvent } from '../protocol/events';
import { ranksIn, ranksText } from '../protocol/ranks';
import type { Scalars } from '../runs/curve/scalars';
import { experimentName } from '../runs/layout';
import type { RunSummary } from '../runs/run-summary';
import { bestEvaluation, checkpointSteps, importOf, metricOf, stopReason } from '../runs/run-facts';
import type { ToolRun } from './tool';
import { spread } from './tool-answer';

const EVALUATIONS = 24;
const POINTS = 24;
const MESSAGES = 12;
/** Steps whose mean loss is given beside that of the last one. */
const SMOOTHED = 20;

/** A run and its progress, in a few lines. */
export function briefly(entry: ToolRun): Record<string, unknown> {
  const { run } = entry;
  const error = inEnglish(() => entry.problem());
  const best = run && bestEvaluation(run);
  return {
    run: entry.id,
    name: entry.label,
    experiment: experimentName(entry.experiment),
    state: entry.state,
    ...(run?.status && { step: run.status.step, steps: run.status.steps }),
    ...(run && { metric: metricOf(run) }),
    ...(best && { best: { step: best.step, ...best.metrics } }),
    ...(run && lastEvaluation(run)),
    stopReason: stopReason(run),
    ...(error && { error: [error.message, error.hint].filter(Boolean).join(' ') }),
  };
}

function lastEvaluation(run: RunSummary): object {
  const last = run.events.findLast(isAnyEvaluation);
  return last ? { last: evaluation(last) } : {};
}

const evaluation = (e: AnyEvaluation): object => ({
  step: e.step,
  epoch: e.epoch,
  ...(e.kind === 'diverged-evaluation' ? { diverged: e.reason } : e.best && { best: true }),
  ...e.metrics,
});

/** The curve at a few steps, and where it stands now. */
export function curve(scalars: Scalars, points = POINTS): object | undefined {
  const { records } = scalars;
  if (records === 0) return undefined;
  const column = (name: string) => scalars.column(name) ?? new Float64Array(records).fill(NaN);
  const [step, loss, rate, norm, seconds, memory] = [
    'step',
    'loss',
    'learningRate',
    'gradientNorm',
    'seconds',
    'memory',
  ].map(column);
  const rows = Array.from({ length: records }, (_, i) => i);
  const recent = loss.subarray(-SMOOTHED);
  return {
    steps: spread(rows, points).map((i) => ({
      step: step[i],
      loss: loss[i],
      learningRate: rate[i],
      gradientNorm: norm[i],
    })),
    firstLoss: loss[0],
    lastLoss: loss[records - 1],
    [`meanLossOfLast${recent.length}Steps`]: mean(recent),
    largestGradientNorm: norm.reduce((a, b) => Math.max(a, b), -Infinity),
    secondsPerStep: mean(seconds.subarray(-SMOOTHED)),
    peakMemoryBytes: memory.reduce((a, b) => Math.max(a, b), -Infinity),
  };
}

const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The whole report of the run's folder on its course, bounded in length. */
export function fully(entry: ToolRun, scalars: Scalars): Record<string, unknown> {
  const { run } = entry;
  if (!run) return briefly(entry);
  const { events, spec, result } = run;
  const started = find(events, 'started');
  const device = events.findLast((e) => e.kind === 'device');
  const forked = find(events, 'forked');
  const cost = events.findLast((e) => e.kind === 'quantization-cost');
  const scores = scoresOf(events, spec.data);
  const imported = importOf(run);
  const metric = metricOf(run);
  const evaluations = events.filter(isAnyEvaluation);
  const ranks = ranksIn(events);
  const values = evaluations.flatMap((e) =>
    e.kind === 'evaluation' ? [metricValue(e.metrics, metric)] : [],
  );
  return {
    ...briefly(entry),
    settings: Object.fromEntries([...flatSettings(spec)].map(([k, v]) => [k, JSON.parse(v) as unknown])),
    ...(started && {
      trainedOn: {
        trainExamples: started.trainExamples,
        validationExamples: started.validationExamples,
        labels: spread(started.labels, 20),
        labelCount: started.labels.length,
        adaptedModules: started.modules.length,
        trainableParameters: started.trainable,
        trainableHeadParameters: started.trainableHead,
        ...(ranks && { ranks: ranksText(ranks) }),
      },
    }),
    ...(device && { device: { engine: device.engine, device: device.device, reason: device.reason } }),
    ...(forked && {
      forkedFrom: { run: forked.fromRun, step: forked.fromStep, changed: forked.changed },
    }),
    ...(imported &&
      (imported.combination
        ? { combinedFrom: imported.combination }
        : { importedFrom: { adapter: imported.adapter, peftType: imported.peftType } })),
    evaluations: {
      count: evaluations.length,
      metric,
      firstToLast: [values[0], values.at(-1)],
      shown: spread(evaluations, EVALUATIONS).map(evaluation),
    },
    ...(curve(scalars) && { curve: curve(scalars) }),
    ...(scores?.test && { testSet: scores.test }),
    ...(scores?.mean && { meanOfEvaluationSets: scores.mean }),
    ...(cost && {
      quantizationCost: { bits: cost.bits, of: cost.of, quantized: cost.quantized, float32: cost.float32 },
    }),
    ...(result && 'outcome' in result && { outcome: result.outcome }),
    // The best answer that does not depend on the input, such as the most frequent label.
    ...(result && 'baseline' in result && { baseline: result.baseline }),
    checkpoints: spread(checkpointSteps(run), 12),
    messages: messages(events),
    folder: entry.folder,
  };
}

const find = <K extends RunEvent['kind']>(events: readonly RunEvent[], kind: K) =>
  events.find((e): e is Extract<RunEvent, { kind: K }> => e.kind === kind);

/** Warnings and alarms: every event with a message. Each once, the last of them. */
const messages = (events: readonly RunEvent[]): object[] => {
  const said = new Map<string, object>();
  for (const e of events)
    if ('message' in e && typeof e.message === 'string')
      said.set(e.message, { kind: e.kind, ...('step' in e && { step: e.step }), message: e.message });
  return [...said.values()].slice(-MESSAGES);
};
