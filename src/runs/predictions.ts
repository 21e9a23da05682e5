import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { EvaluationMetrics, RunEvent } from '../protocol/events';
import { parsePredictions, type Predictions } from '../protocol/predictions';
import { runPaths, stepName } from './layout';
import { hashOfAll } from '../files/identify-data';
import { filesOfLater } from '../files/pattern';
import { PATIENT, type RunFiles } from './run-files';
import { scoredOn, type MeasuredOn } from '../experiment/evaluation-sets';

/** As trained, with each σ replaced by its linear fit, or in the static form, as the paper merges an adapter. */
export type PredictedForm = 'trained' | 'fitted' | 'static';

export const predictionsFile = (
  run: string,
  step: number,
  on: MeasuredOn = 'validation',
  form: PredictedForm = 'trained',
): string =>
  join(
    runPaths(run).predictions,
    `${form === 'trained' ? '' : `${form}-`}${prefixOf(on)}${stepName(step)}.json`,
  );

/** A name in data.evaluations may be any string, so files have its hash. */
function prefixOf(on: MeasuredOn): string {
  if (on === 'validation') return '';
  if (on === 'test') return 'test-';
  return `evaluation-${createHash('sha256').update(on).digest('hex').slice(0, 8)}-`;
}

/** The size of the predictions of a million examples. */
const MOST_BYTES = 2 ** 28;

/** Undefined where they were not made yet. AuroraError (`run`) where the file is damaged. */
export async function readPredictions(
  run: string,
  step: number,
  on?: MeasuredOn,
  files: RunFiles = PATIENT,
  form?: PredictedForm,
): Promise<Predictions | undefined> {
  const path = predictionsFile(run, step, on, form);
  const bytes = await files.read(path, MOST_BYTES);
  return bytes && parsePredictions(path, bytes.toString('utf8'));
}

/**
 * The change since then: the run, which was trained again from before that step, or the data. Undefined if nothing has
 * changed, or the data are gone, so that there is nothing newer.
 */
export async function outdated(
  { form, evaluation, data }: Pick<Predictions, 'form' | 'evaluation' | 'data'>,
  step: number,
  events: readonly RunEvent[],
  on: MeasuredOn = 'validation',
): Promise<'run' | 'data' | undefined> {
  const known = evaluationAt(events, step, on);
  const same = JSON.stringify(known?.metrics) === JSON.stringify(evaluation);
  if (!same || (known && (known.form ?? 'dynamic') !== form)) return 'run';
  const sum = await fileSum(data.file);
  return sum === undefined || sum === data.sha256 ? undefined : 'data';
}

/** The journal's own result for the same step on the same set. */
export function evaluationAt(
  events: readonly RunEvent[],
  step: number,
  on: MeasuredOn,
): { metrics: EvaluationMetrics; form?: 'static' } | undefined {
  if (on === 'validation') return events.filter((e) => e.kind === 'evaluation').find((e) => e.step === step);
  const score = events
    .filter((e) => e.kind === 'test-evaluation')
    .findLast((e) => scoredOn(e.set) === on && e.step === step);
  if (!score || score.metrics === 'diverged') return undefined;
  const { metrics, form } = score;
  return { metrics, form };
}

/** Changes whenever a file that was predicted on is written, appears or disappears. Costs no reading. */
export async function dataStamp({ data }: Pick<Predictions, 'data'>): Promise<string> {
  const paths = await filesOfLater(data.file).catch(() => []);
  const stamps = paths.map(async (path) => {
    const facts = await stat(path).catch(() => undefined);
    return [path, facts?.size, facts?.mtimeMs, facts?.ino];
  });
  return JSON.stringify(await Promise.all(stamps));
}

/** A checksum of the content of a file, or of all files of a pattern; undefined where one cannot be read. */
export async function fileSum(path: string): Promise<string | undefined> {
  let paths;
  try {
    paths = await filesOfLater(path);
  } catch {
    return undefined;
  }
  if (paths[0] === path) return sumOf(path);
  const files = [];
  for (const file of paths) files.push({ name: basename(file), sha256: (await sumOf(file)) ?? '' });
  return hashOfAll(files);
}

/** SHA-256 of a file, read in pieces; undefined where it is not there or cannot be read. */
async function sumOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    // Devices and pipes have no end.
    if (!(await stat(path)).isFile()) return undefined;
    for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  } catch {
    return undefined;
  }
  return hash.digest('hex');
}
