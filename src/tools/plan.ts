import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { t } from '../base/l10n';
import { bytes, count, durationText } from '../base/number-text';
import type { Experiment } from '../experiment/experiment';
import { isHeadAlone } from '../experiment/methods';
import { modelPath } from '../files/model-path';
import type { PreflightEstimate } from '../protocol/preflight';
import type { StepCost } from '../protocol/step-cost';
import { inspected } from './inspected';
import type { ToolHost, ToolRun } from './tool';

/** The length, time and memory of a run before it starts, as far as they are known. */
export interface Plan {
  /** Optimizer steps. */
  steps?: number;
  /** For the whole run. */
  seconds?: number;
  /** At the peak, in bytes. */
  memory?: number;
  /** True if a preflight measured it with real steps, false if it is computed from the model's graph. */
  isMeasured: boolean;
}

/** The last preflights of this process, by the experiment that they measured. */
const measured = new Map<string, PreflightEstimate>();
const MOST_MEASURED = 20;

/** Keeps the estimate of a preflight for the question before the run. */
export function rememberEstimate(spec: Experiment, estimate: PreflightEstimate): void {
  const key = JSON.stringify(spec);
  measured.delete(key);
  measured.set(key, estimate);
  if (measured.size > MOST_MEASURED) measured.delete(measured.keys().next().value!);
}

/**
 * Estimates a run from a preflight in this process, otherwise from the cost of a step (`aurora inspect`, which runs nothing
 * of the workspace) and the number of steps.
 *
 * @param runs those of the workspace: an earlier run on the same data knows the number of steps
 * @param from the step at which a fork begins
 */
export async function planOf(
  host: ToolHost,
  spec: Experiment,
  runs: readonly ToolRun[],
  from = 0,
): Promise<Plan> {
  const known = measured.get(JSON.stringify(spec));
  if (known && from === 0)
    return { steps: known.steps, seconds: 60 * known.minutes, memory: known.memoryBytes, isMeasured: true };
  const [all, step] = await Promise.all([stepsOf(spec, runs), stepCost(host, spec)]);
  const steps = all === undefined ? undefined : Math.max(0, all - from);
  const seconds = step?.time?.seconds;
  return {
    steps,
    ...(steps !== undefined &&
      seconds !== undefined && { seconds: steps * spec.training.gradientAccumulation * seconds }),
    memory: step?.memory?.total,
    isMeasured: false,
  };
}

/** The plan in a sentence; it ends with the way to a better one. */
export function planText({ steps, seconds, memory, isMeasured }: Plan): string {
  const parts = [
    ...(steps === undefined ? [] : [steps === 1 ? t('1 step') : t('{0} steps', count(steps))]),
    ...(seconds === undefined ? [] : [durationText(seconds)]),
    ...(memory === undefined ? [] : [t('{0} of memory', bytes(memory))]),
  ];
  if (parts.length === 0) return t('Its time and memory are not known: a preflight measures them.');
  if (isMeasured) return t('About {0}, as a preflight measured.', parts.join(', '));
  return seconds === undefined
    ? t('About {0}; its time is not known: a preflight measures it.', parts.join(', '))
    : t(
        'About {0}, estimated for the CPU and the longest inputs: a preflight measures it.',
        parts.join(', '),
      );
}

/** Undefined for a model that cannot be read: the program that trains reports the reason. */
async function stepCost(host: ToolHost, spec: Experiment): Promise<StepCost | undefined> {
  const { model, adapter, training, task } = spec;
  const targets = 'targetModules' in adapter ? adapter.targetModules : undefined;
  const options = {
    batch: training.batchSize,
    length: model.maxLength,
    method: adapter.method,
    ...(!isHeadAlone(adapter) && 'rank' in adapter && { rank: adapter.rank }),
    ...(targets !== undefined && { targets: [targets].flat().join(',') }),
    head: task.head,
    output: model.output,
    quantize: model.quantize,
    ...(training.precision === 'int8' && { precision: 'int8' }),
  };
  try {
    return (await inspected(host, modelPath(model.path), options)).step;
  } catch {
    return undefined;
  }
}

/** Undefined if it is not known without reading the data as training does. */
async function stepsOf(
  { data, training }: Experiment,
  runs: readonly ToolRun[],
): Promise<number | undefined> {
  const { epochs, maxSteps, batchSize, gradientAccumulation, packing } = training;
  if (maxSteps !== undefined) return maxSteps;
  const perStep = batchSize * gradientAccumulation;
  const before = runs
    .find(
      ({ run }) =>
        run?.spec.data.train === data.train &&
        run.spec.data.validation === data.validation &&
        run.spec.data.validationFraction === data.validationFraction &&
        run.spec.training.packing === packing,
    )
    ?.run?.events.find((e) => e.kind === 'started');
  if (before) return Math.ceil((before.packedRows ?? before.trainExamples) / perStep) * epochs;
  if (packing) return undefined;
  const rows = await rowsOf(data.train);
  if (rows === undefined) return undefined;
  const trained = data.validation === undefined ? rows * (1 - data.validationFraction) : rows;
  return Math.ceil(trained / perStep) * epochs;
}

/** Bytes of a file whose lines are counted before a question: about a second. */
const LARGEST_COUNTED = 2 ** 30;

/** Lines of a text file, which are about its rows; undefined for other files. */
async function rowsOf(file: string): Promise<number | undefined> {
  if (!/\.(jsonl|ndjson|csv|tsv)$/i.test(file)) return undefined;
  const size = await stat(file).then(
    (s) => (s.isFile() ? s.size : Infinity),
    () => Infinity,
  );
  if (size > LARGEST_COUNTED) return undefined;
  let lines = 0;
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>)
    for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) lines++;
  return Math.max(1, /\.[ct]sv$/i.test(file) ? lines - 1 : lines);
}
