import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { sortedJson } from '../../base/sorted-json';
import type { Claim } from '../../experiment/claim';
import type { Experiment } from '../../experiment/experiment';
import { metricValue, type MetricValue } from '../../experiment/metrics';
import { withPaths } from '../../experiment/paths';
import { scoresOf } from '../../protocol/evaluations';
import { runPaths, stepName } from '../../runs/layout';
import { hasDiverged } from '../../runs/outcome';
import { readRunSummary, type RunSummary } from '../../runs/run-summary';
import type { CertifiedRun, RunResult } from '../../study/claim/certificate';
import { testedRun } from '../../study/claim/pseudo-values';
import type { TestedRun } from '../../study/claim/verdict';
import { predictRun } from '../../training/predictions/predict';

/** A finished run of a claim's test: its sums, and its results by form. */
export interface Tested {
  step: number;
  sums: Pick<CertifiedRun, 'spec' | 'adapter'>;
  results: Partial<Record<'trained' | 'fitted', TestedRun>>;
}

/**
 * The results of a run on the examples that a claim is tested on: from its folder, where they are computed and kept if they
 * are missing.
 *
 * @param forms those that the claim compares
 * @returns 'diverged' for a run that diverged, on these examples or before
 * @throws AuroraError 'run' or 'inputs' if the run cannot be measured as it was trained
 */
export async function testedResults(
  folder: string,
  { metric, on }: Pick<Claim, 'metric' | 'on'>,
  forms: ReadonlySet<'trained' | 'fitted'>,
): Promise<Tested | 'diverged'> {
  const run = readRunSummary(folder);
  if (hasDiverged(run)) return 'diverged';
  const { step, score } = lastScore(run, on);
  if (score === 'diverged') return 'diverged';
  const results: Tested['results'] = {};
  for (const form of forms)
    if (on === 'evaluations') results[form] = { value: metricValue(score, metric), examples: score.examples };
    else {
      const predictions = await predictRun({
        ...{ run: folder, at: step, on, as: form, again: false },
        emit: async () => {},
      });
      results[form] = testedRun(metric, predictions, metricValue(predictions.metrics, metric));
    }
  return { step, sums: await sumsOf(run, step), results };
}

/** The step that a claim measures, and its score: the last one, or the best on other examples. */
function lastScore({ folder, events, spec }: RunSummary, on: Claim['on']) {
  const last = events.findLast((e) => e.kind === 'evaluation');
  if (on === 'validation' && last) return { step: last.step, score: last.metrics };
  const scores = scoresOf(events, spec.data);
  const score = on === 'test' ? scores?.test : scores?.mean;
  if (scores && score !== undefined) {
    const examples = scores.sets.flatMap(({ score }) => (score === 'diverged' ? [] : [score.examples]));
    return {
      step: scores.step,
      score: score === 'diverged' ? score : { examples: examples.length * Math.min(...examples), ...score },
    };
  }
  throw new AuroraError('run', `${folder} has no score on the examples that the claim is tested on.`);
}

/** The metric of a search's trial at its last evaluation. */
export function searchedValue(
  run: RunSummary,
  metric: Claim['metric'],
): { step: number; value: MetricValue } {
  const last = run.events.findLast((e) => e.kind === 'evaluation');
  if (!last || hasDiverged(run)) return { step: last?.step ?? 0, value: 'diverged' };
  return { step: last.step, value: metricValue(last.metrics, metric) };
}

/** The sums by which a certificate recognizes a run at a step. */
export async function sumsOf(run: RunSummary, step: number): Promise<Tested['sums']> {
  const adapter = join(runPaths(run.folder).checkpoints, stepName(step), 'adapter.safetensors');
  return { spec: specSum(run.spec), adapter: sha256(await readAdapter(adapter)) };
}

async function readAdapter(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (e) {
    throw new AuroraError(
      'run',
      `${path} could not be read: ${(e as Error).message}.`,
      'The checkpoint was removed: restore the run’s folder from a copy.',
      { cause: e },
    );
  }
}

/** SHA-256 of an experiment, wherever its files are: those have their own sums. */
const specSum = (spec: Experiment): string => sha256(sortedJson(withPaths(spec, (path) => basename(path))));

/** A result as a certificate has it. */
export function resultOf({ value, examples, rows }: TestedRun): RunResult {
  const numbers = Float64Array.from([value, examples, ...(rows ?? [])]);
  return { value, examples, sha256: sha256(new Uint8Array(numbers.buffer)) };
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
