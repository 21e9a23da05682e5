import { metricValue } from '../../experiment/metrics';
import type { EvaluationMetrics, RunEvent } from '../../protocol/events';
import type { Predictions } from '../../protocol/predictions';
import { wrongOf } from '../../protocol/answers/kinds';
import { scoresOf } from '../../protocol/scores';
import type { ChosenBy, ExampleOutcomes, Forms, StudyRun, UnfitRun } from '../../study/study-run';
import { hasDiverged } from '../outcome';
import { filesBehind, readInputs, type CompareOptions } from '../inputs';
import { changedSince } from '../inputs-note';
import { readPredictions } from '../predictions';
import type { RunSummary } from '../read';
import { PATIENT, type RunFiles } from '../run-files';
import { readGeometry, readMerged } from './kept';
import { medianStepSeconds } from './step-seconds';
import { isNonlinear } from '../../experiment/methods';

type Evaluation = Extract<RunEvent, { kind: 'evaluation' }>;

/**
 * The data that a study needs from a run, as far as its folder has them.
 *
 * @param options how to read the run, and how closely to compare the current files with those that it was trained on
 */
export async function studyRun(
  run: RunSummary,
  name: string,
  { files = PATIENT, ...compare }: CompareOptions & { files?: RunFiles } = {},
): Promise<StudyRun | UnfitRun> {
  const { folder, spec, events, result } = run;
  const last = events.findLast((e) => e.kind === 'evaluation');
  const started = events.find((e) => e.kind === 'started');
  const isFinished = events.some((e) => e.kind === 'finished');
  const forked = events.find((e) => e.kind === 'forked');
  const unfit = events.some((e) => e.kind === 'imported')
    ? 'import'
    : forked && forked.changed.length > 0
      ? 'fork'
      : undefined;
  if (unfit) return { folder, name, unfit };
  if (hasDiverged(run)) return { folder, name, unfit: 'diverged', spec };
  if (events.at(-1)?.kind === 'failed') return { folder, name, unfit: 'failed' };
  if (!isFinished || !last || !started || !result) return { folder, name, unfit: 'unfinished' };
  const [forms, geometry, examples, stepSeconds] = await Promise.all([
    formsOf(run, last, files),
    readGeometry(folder, last.step, files),
    examplesOf(folder, last, files),
    medianStepSeconds(folder, files),
  ]);
  const inputs = readInputs(folder);
  const behind = inputs && filesBehind(inputs, last.step);
  const trainedOn = behind && Object.fromEntries(behind.map(({ path, sha256 }) => [path, sha256]));
  const changed = await changedSince(run, last.step, compare, inputs);
  const { peakMemory } = result as { peakMemory?: unknown };
  const place = placeOf(result);
  return {
    folder,
    name,
    spec,
    step: last.step,
    chosenBy: chosenBy(run),
    metrics: last.metrics,
    ...(await scoresIn(run, files)),
    parameters: started.trainable,
    stepSeconds,
    ...(typeof peakMemory === 'number' && { memory: peakMemory }),
    place,
    forms,
    geometry,
    examples,
    trainedOn,
    ...(changed.length > 0 && { changedSince: changed.map(({ path }) => path) }),
    ...(events.some((e) => e.kind === 'inputs-accepted') && { changedWithin: true }),
  };
}

/** The scores on the sets that training did not see, except those that diverged: they cannot be compared. */
async function scoresIn(
  { folder, events, spec }: RunSummary,
  files: RunFiles,
): Promise<Pick<StudyRun, 'test' | 'evaluations'>> {
  const scores = scoresOf(events, spec.data);
  if (!scores) return {};
  const { step, test, sets, mean } = scores;
  const examples = test && test !== 'diverged' ? await testExamples(folder, step, test, files) : undefined;
  const sizes = sets.flatMap(({ score }) => (score === 'diverged' ? [] : [score.examples]));
  return {
    ...(test && test !== 'diverged' && { test: { step, metrics: test, examples } }),
    ...(mean &&
      mean !== 'diverged' && {
        evaluations: {
          step,
          metrics: { ...mean, loss: metricValue(mean, 'loss'), examples: sizes.length * Math.min(...sizes) },
        },
      }),
  };
}

function chosenBy({ spec, events }: RunSummary): ChosenBy[] {
  const compared = events.some((e) => e.kind === 'stopped' && e.reason === 'rung');
  return [
    ...(spec.training.earlyStopping ? (['early-stopping'] as const) : []),
    ...(compared ? (['halving'] as const) : []),
  ];
}

async function formsOf(
  { folder, spec }: RunSummary,
  last: Evaluation,
  files: RunFiles,
): Promise<Forms | undefined> {
  const { metrics, form, step } = last;
  if (!isNonlinear(spec.adapter) || form === 'static')
    return { trained: metrics, merged: metrics, same: true };
  const kept = await readMerged(folder, step, files);
  return kept && { trained: kept.trained, merged: kept.merged, same: false };
}

/** Undefined if there are none, or they are from before the run was trained again. */
const examplesOf = async (
  folder: string,
  last: Evaluation,
  files: RunFiles,
): Promise<ExampleOutcomes | undefined> =>
  outcomesIn(
    await readPredictions(folder, last.step, 'validation', files).catch(() => undefined),
    last.metrics,
  );

const testExamples = async (
  folder: string,
  step: number,
  metrics: EvaluationMetrics,
  files: RunFiles,
): Promise<ExampleOutcomes | undefined> =>
  outcomesIn(await readPredictions(folder, step, 'test', files).catch(() => undefined), metrics);

function outcomesIn(kept: Predictions | undefined, metrics: EvaluationMetrics): ExampleOutcomes | undefined {
  if (!kept || JSON.stringify(kept.evaluation) !== JSON.stringify(metrics)) return undefined;
  return {
    data: kept.data.sha256,
    correct: wrongOf(kept).map((wrong) => 1 - wrong),
    loss: kept.columns.loss,
  };
}

function placeOf(result: Record<string, unknown>): string | undefined {
  const { engine, device, cpu, threads } = (result.environment ?? {}) as Record<string, unknown>;
  const parts = [engine, device, cpu, threads === undefined ? undefined : `${String(threads)} threads`];
  const known = parts.filter((p) => typeof p === 'string' && p !== '');
  return known.length > 0 ? known.join(', ') : undefined;
}
