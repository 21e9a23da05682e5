import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { flatSettings } from '../../experiment/differing-settings';
import { metricsIn, metricValue, type Metrics } from '../../experiment/metrics';
import { writeAtomic } from '../../files/atomic';
import { scoredOn } from '../../experiment/evaluation-sets';
import { isAnyEvaluation } from '../../protocol/evaluations';
import type { RunEvent } from '../../protocol/events';
import { readScalars, type Scalars } from '../curve/scalars-reader';
import { runPaths } from '../layout';
import { readRunSummary, type RunSummary } from '../read';
import { ended, fileVersion, scalars, settings, type Setting } from './records';

/** More points than a chart shows; of longer runs, evenly many steps are left out. */
const MOST_STEPS = 100_000;

/** Columns of the curve, as TensorBoard's users name them. */
const TRAINING: readonly (readonly [column: string, tag: string])[] = [
  ['loss', 'train/loss'],
  ['learningRate', 'train/learning_rate'],
  ['gradientNorm', 'train/grad_norm'],
];

export interface EventFile {
  folder: string;
  file: string;
  /** Training steps and evaluations in it. */
  steps: number;
  evaluations: number;
}

/**
 * Writes a run's curves, evaluations and settings as an event file for TensorBoard, in place of an earlier one.
 *
 * @param folder of the run in TensorBoard; by default `tensorboard` in the run folder
 * @throws AuroraError 'run' if there is nothing to show yet
 */
export function exportEvents(run: string, folder = runPaths(run).tensorboard): EventFile {
  const summary = readRunSummary(run);
  const curve = readScalars(run);
  const evaluations = evaluationEvents(summary.events);
  if (curve.records === 0 && evaluations.length === 0)
    throw new AuroraError('run', `${run} has no training step yet.`, 'Wait for its first step.');
  const began = (summary.events[0]?.t ?? 0) / 1000;
  const steps = stepEvents(curve);
  const last = Math.max(...[began], ...summary.events.slice(-1).map((e) => e.t / 1000));
  const bytes = Buffer.concat([
    fileVersion(began),
    settings(began, groupOf(summary), settingsOf(summary)),
    ...steps,
    ...evaluations,
    ended(last, stateOf(summary)),
  ]);
  // TensorBoard reads every file whose name has "tfevents" in it.
  const file = join(folder, `events.out.tfevents.${Math.floor(began)}.aurora`);
  writeAtomic(file, bytes);
  return { folder, file, steps: steps.length, evaluations: evaluations.length };
}

function stepEvents(curve: Scalars): Buffer[] {
  const { records } = curve;
  const every = Math.max(1, Math.ceil(records / MOST_STEPS));
  const [step, time, seconds, examples] = ['step', 'time', 'seconds', 'examples'].map((c) => curve.column(c));
  const columns = TRAINING.flatMap(([column, tag]) => {
    const values = curve.column(column);
    return values ? [[tag, values] as const] : [];
  });
  const events: Buffer[] = [];
  for (let i = 0; i < records; i++) {
    // The last step is always shown.
    if (i % every !== 0 && i !== records - 1) continue;
    const values = columns.map(([tag, all]) => [tag, all[i]!] as const);
    if (seconds && examples && seconds[i]! > 0)
      values.push(['train/examples_per_second', examples[i]! / seconds[i]!]);
    events.push(scalars(time ? time[i]! / 1000 : 0, step![i]!, values));
  }
  return events;
}

const evaluationEvents = (events: readonly RunEvent[]): Buffer[] =>
  events.flatMap((e) => {
    if (isAnyEvaluation(e)) return e.metrics ? [evaluated(e.t, e.step, 'validation', e.metrics)] : [];
    if (e.kind !== 'test-evaluation' || e.metrics === 'diverged') return [];
    return [evaluated(e.t, e.step, scoredOn(e.set).replace(/^evaluations\./, 'evaluation/'), e.metrics)];
  });

const evaluated = (t: number, step: number, set: string, metrics: Metrics): Buffer =>
  scalars(
    t / 1000,
    step,
    metricsIn(metrics).map((name) => [`${set}/${snake(name)}`, metricValue(metrics, name)] as const),
  );

const snake = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

/** Numbers, texts and switches; a list as its JSON. Paths of this machine are of no use elsewhere. */
function settingsOf({ spec }: RunSummary): Map<string, Setting> {
  const all = [...flatSettings(spec)].filter(
    ([key]) => !/^(model\.(path|tokenizer|preprocessor)|data\.)/.test(key),
  );
  return new Map(
    all.map(([key, json]) => {
      const value = JSON.parse(json) as unknown;
      return [key, Array.isArray(value) || value === null ? json : (value as Setting)];
    }),
  );
}

/** Runs that differ in their seed alone are one group. */
function groupOf({ spec }: RunSummary): string {
  const same = [...flatSettings(spec)].filter(([key]) => key !== 'training.seed' && key !== 'name');
  return createHash('sha256').update(JSON.stringify(same)).digest('hex').slice(0, 16);
}

function stateOf({ status }: RunSummary): 'finished' | 'failed' | 'running' {
  return status?.state === 'running' ? 'running' : status?.state === 'failed' ? 'failed' : 'finished';
}
