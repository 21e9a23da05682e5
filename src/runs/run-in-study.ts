import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../base/errors';
import { isHeadAlone, isNonlinear } from '../experiment/methods';
import { metricValue } from '../experiment/metrics';
import { wrongOf } from '../protocol/answers/kinds';
import { rightByMetric } from '../protocol/answers/written';
import { scoresOf } from '../protocol/evaluations';
import type { EvaluationMetrics, RunEvent } from '../protocol/events';
import type { Predictions } from '../protocol/predictions';
import { type Geometry, parseGeometry } from '../study/geometry';
import { testedRun } from '../study/claim/pseudo-values';
import { median } from '../study/statistics/summary';
import {
  type ChosenBy,
  type ExampleOutcomes,
  type Forms,
  type MergedMetrics,
  parseMerged,
  type SigmaShare,
  type StudyRun,
  type UnfitRun,
} from '../study/study-run';
import { lastValues } from './curve/scalar-records';
import { type CompareOptions, filesBehind, readInputs } from './inputs';
import { changedSince } from './inputs-note';
import { experimentRuns, runPaths, stepName } from './layout';
import { hasDiverged } from './outcome';
import { readNonlinearity } from './nonlinearity';
import { readPredictions } from './predictions';
import { PATIENT, type RunFiles } from './run-files';
import type { RunSummary } from './run-summary';

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
  const [forms, nonlinearity, geometry, examples, stepSeconds] = await Promise.all([
    formsOf(run, last, files),
    sigmaShare(run, last, files),
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
    nonlinearity,
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
    return { trained: metrics, fitted: metrics, paper: metrics, same: true };
  const kept = await readMerged(folder, step, files);
  return kept && { trained: kept.trained, fitted: kept.fitted, paper: kept.paper, same: false };
}

/**
 * Undefined for a head alone, and where it was not measured or the run was trained again since.
 *
 * @param last the run's last evaluation
 */
export async function sigmaShare(
  { folder, spec }: RunSummary,
  { form, step, metrics }: Evaluation,
  files: RunFiles = PATIENT,
): Promise<SigmaShare | undefined> {
  if (isHeadAlone(spec.adapter)) return undefined;
  if (!isNonlinear(spec.adapter) || form === 'static') return { linear: true };
  const kept = await readNonlinearity(folder, step, files).catch(() => undefined);
  if (!kept || JSON.stringify(kept.evaluation) !== JSON.stringify(metrics)) return undefined;
  return { linear: false, share: kept.share };
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
  return outcomesOf(kept);
}

/** The outcome of each example of predictions. */
export const outcomesOf = (kept: Predictions): ExampleOutcomes => ({
  data: kept.data.sha256,
  correct: wrongOf(kept).map((wrong) => 1 - wrong),
  ...(kept.answer === 'written' && { correctBy: rightByMetric(kept) }),
  loss: testedRun('loss', kept, kept.metrics.loss).rows,
});

function placeOf(result: Record<string, unknown>): string | undefined {
  const { engine, device, cpu, threads } = (result.environment ?? {}) as Record<string, unknown>;
  const parts = [engine, device, cpu, threads === undefined ? undefined : `${String(threads)} threads`];
  const known = parts.filter((p) => typeof p === 'string' && p !== '');
  return known.length > 0 ? known.join(', ') : undefined;
}

export const geometryFile = (run: string): string => join(runPaths(run).study, 'geometry.json');

export const mergedFile = (run: string, step: number): string =>
  join(runPaths(run).study, `merged-${stepName(step)}.json`);

/** SHA-256 of a checkpoint's adapter, according to its state; undefined if the checkpoint is missing. */
export async function adapterSum(
  run: string,
  step: number,
  files: RunFiles = PATIENT,
): Promise<string | undefined> {
  const state = await readValue(files, join(runPaths(run).checkpoints, stepName(step), 'state.json'));
  const sum = (state as { sha256?: Record<string, unknown> } | undefined)?.sha256?.['adapter.safetensors'];
  return typeof sum === 'string' ? sum : undefined;
}

/** Undefined if there are none, or they belong to an adapter other than the checkpoint's. */
export async function readMerged(
  run: string,
  step: number,
  files: RunFiles = PATIENT,
): Promise<MergedMetrics | undefined> {
  const kept = parseMerged(await readValue(files, mergedFile(run, step)));
  return kept && kept.adapter === (await adapterSum(run, step, files)) ? kept : undefined;
}

/** Undefined if there is none up to this step, or it belongs to an adapter other than the checkpoint's. */
export async function readGeometry(
  run: string,
  step: number,
  files: RunFiles = PATIENT,
): Promise<Geometry | undefined> {
  const kept = parseGeometry(await readValue(files, geometryFile(run)));
  const last = kept?.from.at(-1);
  return last?.step === step && last.sha256 === (await adapterSum(run, step, files)) ? kept : undefined;
}

/** A damaged file counts as missing, since it can be computed again. */
async function readValue(files: RunFiles, path: string): Promise<unknown> {
  const bytes = await files.read(path);
  try {
    return bytes && (JSON.parse(bytes.toString('utf8')) as unknown);
  } catch {
    return undefined;
  }
}

/** The newest steps of a long run are representative. */
const MOST = 2000;

/**
 * The median seconds per step, which a pause of the machine or a concurrent evaluation does not affect. Undefined if no
 * step was recorded.
 */
async function medianStepSeconds(run: string, files: RunFiles): Promise<number | undefined> {
  const seconds = await lastValues(run, 'seconds', MOST, files);
  return seconds.length > 0 ? median(seconds) : undefined;
}

/**
 * The run folders of a study, without duplicates, in the given order: from run folders, folders that contain runs (an
 * experiment's), and experiment files. Add further kinds of sources here.
 *
 * @throws AuroraError 'run' if a path is none of these
 */
export function studyFolders(given: readonly string[]): string[] {
  return [...new Set(given.flatMap(foldersOf))];
}

function foldersOf(path: string): string[] {
  if (isRun(path)) return [path];
  const holder = path.endsWith('.json') ? experimentRuns(path) : path;
  const runs = statSync(holder, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(holder)
        .filter((name) => !name.startsWith('.'))
        .sort()
        .map((name) => join(holder, name))
        .filter(isRun)
    : [];
  if (runs.length > 0) return runs;
  throw new AuroraError(
    'run',
    `${path} is not a run and contains none.`,
    'Give run folders, the folder of an experiment’s runs (.aurora/runs/NAME), or its experiment file.',
  );
}

const isRun = (path: string): boolean => existsSync(runPaths(path).spec) || existsSync(runPaths(path).events);
