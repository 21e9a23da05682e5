import { AuroraError } from '../base/errors';
import { nameTable } from '../base/names';
import { openSession } from '../engine/onnxruntime/session';
import { openEvaluator } from '../engine/open-task';
import { CPU } from '../engine/place';
import type { Evaluator } from '../engine/stepper';
import { DType } from '../graph/dtype';
import { loadModel } from '../graph/file/load';
import type { Graph } from '../graph/model';
import type { HostTensor, HostTensors } from '../graph/tensor-infos';
import { tensorOf, tensorValues } from '../graph/values';
import { cacheInputs, keptLogitsInput, packedCaches, USE_CACHE } from '../graph/without-past';
import type { Evaluated, EvaluationMetrics } from '../protocol/events';
import type { Outputs } from '../protocol/outputs';
import type { TaskKind } from '../tasks/kind';
import { routerLoss } from '../graph/routed';
import { OBJECTIVES } from '../tasks/objective';
import { LABELS } from '../tasks/task-graph';
import { unusedCache } from './generation/cached-model';
import { evaluateDataset } from './loop/evaluate';
import type { WritingWatch } from './loop/written-answers';
import { MicroBatches } from './micro-batch/micro-batches';
import type { Task } from './task/task';

/** Results of a form of a trained model on the validation set. */
export interface Measured {
  metrics: Evaluated;
  /** The logits of each example, in data order. */
  logits: Float32Array[];
}

/** Gets each example as it is measured: its logits, valid during the call, and the numbers kept of them. */
export type Seen = (example: number, logits: Float32Array, kept: Float32Array) => void;

/** The task itself: the base model with adapters as nodes, in their current form. */
export async function measureTask(
  task: Task,
  parameters: ReadonlyMap<string, Float32Array>,
  folder: string,
  options: MeasureOptions = {},
): Promise<Measured> {
  const opened = await openMeasuring(task, folder);
  try {
    return await opened.measure(parameters, options);
  } finally {
    await opened.dispose();
  }
}

export interface MeasureOptions {
  /** Called after each example. */
  seen?: Seen;
  /** False leaves out answers that a model writes: metrics may need them, but not the loss. */
  writes?: boolean;
  /** Called while answers are written. */
  watch?: WritingWatch;
}

/** Measures one task with several parameters, in one session. */
export interface Measuring {
  measure(parameters: ReadonlyMap<string, Float32Array>, options?: MeasureOptions): Promise<Measured>;
  dispose(): Promise<void>;
}

/** @param folder for the graph; removed on dispose */
export async function openMeasuring(task: Task, folder: string): Promise<Measuring> {
  return measuring(task, await openEvaluator(task.model, task.infos, task.graph, folder));
}

/**
 * An exported ONNX file, run from disk unchanged.
 *
 * @param logits the output to read
 * @param more values of the inputs that the task does not feed
 */
export async function measureFile(
  task: Task,
  path: string,
  logits: string,
  more: HostTensors = {},
): Promise<Measured> {
  const { graph } = loadModel(path);
  const routers = task.graph.objective === 'causal-lm' ? routerLoss(task.model.metadata) : undefined;
  const session = await openSession(path);
  const opened = measuring(task, {
    async evaluate(inputs) {
      const { [LABELS]: labels, ...own } = inputs;
      const past = emptyPast(graph, labels.dims[0]);
      const wanted = [logits, ...(routers ? [routers.output] : [])];
      const found = await session.run({ ...own, ...past, ...more }, wanted);
      const out = scaled(found[logits], task.data);
      const { lossSum, count } = OBJECTIVES[task.graph.objective].measure(out, labels);
      const added = routers ? routers.coefficient * Number(found[routers.output].data[0]) * count : 0;
      return { lossSum: lossSum + added, count, logits: out, observed: new Map() };
    },
    dispose: () => session.dispose(),
  });
  try {
    return await opened.measure(new Map());
  } finally {
    await opened.dispose();
  }
}

/** Numbers as the task's head gives them. */
function scaled(tensor: HostTensor, { scale }: Outputs): HostTensor {
  if (!scale) return tensor;
  const data = (tensor.data as Float32Array).map((v) => (v - scale.mean) / scale.deviation);
  return { ...tensor, data };
}

function measuring(task: Task, evaluator: Evaluator): Measuring {
  const { dataset } = task.data.validation;
  const micro = new MicroBatches(task, evaluator, CPU, () => {});
  return {
    async measure(parameters, { seen, writes = true, watch } = {}) {
      const logits = new Array<Float32Array>(dataset.examples.length);
      const metrics = await evaluateDataset(
        evaluator,
        writes ? task : withoutWriting(task),
        micro,
        dataset,
        parameters,
        (example, values) => {
          const kept = task.kind.keep?.(dataset.examples.at(example)!, values) ?? values.slice();
          logits[example] = kept;
          seen?.(example, values, kept);
        },
        watch,
      );
      return { metrics, logits };
    },
    dispose: () => evaluator.dispose(),
  };
}

/** The task without the answers that its model writes. */
export const withoutWriting = <T extends { kind: TaskKind }>(task: T): T =>
  task.kind.compared
    ? { ...task, kind: { ...task.kind, compared: { ...task.kind.compared, writing: () => undefined } } }
    : task;

/** @throws AuroraError 'run' if they are not finite */
export function requireMetrics({ metrics }: Measured, run: string, step: number): EvaluationMetrics {
  if (metrics !== 'diverged') return metrics;
  throw new AuroraError(
    'run',
    `${run}: at step ${step} the model's logits are not finite, so there is nothing to measure.`,
    'Choose an earlier checkpoint with --at.',
  );
}

/** The largest difference between two sets of logits. */
export function largestDifference(a: Measured, b: Measured): number {
  let largest = 0;
  a.logits.forEach((values, example) =>
    values.forEach((v, i) => {
      largest = Math.max(largest, Math.abs(v - b.logits[example][i]));
    }),
  );
  return largest;
}

/** The inputs of a file's graph besides texts, for texts from their beginning and the logits of all their tokens. */
export function emptyPast(graph: Graph, texts: number): HostTensors {
  const feeds: HostTensors = nameTable(Object.entries(unusedCache(cacheInputs(graph), texts, 0).tensors));
  for (const { input, heads, size } of packedCaches(graph))
    feeds[input.name] = { dtype: DType.float, dims: [2, texts, heads, 0, size], data: new Float32Array(0) };
  const kept = keptLogitsInput(graph);
  const choice = graph.inputs.find((i) => i.name === USE_CACHE);
  for (const [input, dims] of [
    [kept, kept?.shape?.length ? [1] : []],
    [choice, [1]],
  ] as const)
    if (input) {
      const dtype = input.dtype || DType.int64;
      feeds[input.name] = { dtype, dims: [...dims], data: tensorValues(tensorOf('', dtype, [...dims], [0])) };
    }
  return feeds;
}
