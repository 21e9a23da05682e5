import type { Dataset } from '../data/dataset';
import { evaluationOrder } from '../data/order';
import { addPooling } from '../engine/head';
import type { HostTensors } from '../engine/engine';
import { openSession } from '../engine/onnxruntime/session';
import { CPU } from '../engine/place';
import { LABELS } from '../engine/program';
import type { Evaluator } from '../engine/stepper';
import { GraphBuilder } from '../graph/builder';
import { DType } from '../graph/dtype';
import type { Graph, Model } from '../graph/model';
import { prune } from '../graph/prune';
import { saveByReference } from '../graph/save';
import { MicroBatches } from './micro-batch/micro-batches';
import type { Task } from './task';

/** Above this the features are computed anew each time. */
const LIMIT_BYTES = 2 ** 29;
const FEATURES = 'features';

/**
 * With no adapter the model is a constant of the data set: its pooled outputs are computed once, and the
 * head is trained on them. The numbers are those of running the model at every step.
 */
export async function withCachedFeatures(
  task: Task,
  folder: string,
  threads: number,
  warn: (message: string) => void,
): Promise<Task> {
  const { train, validation } = task.data;
  const hidden = task.infos.get(task.graph.output)!.shape.at(-1) as number;
  const examples = train.dataset.examples.length + validation.dataset.examples.length;
  if (task.adapters.length > 0 || !task.head || examples * hidden * 4 > LIMIT_BYTES) return task;
  const { model, pooled } = poolingModel(task);
  const session = await openSession(saveByReference(model, folder, 'features.onnx'), { threads });
  const pool = async (inputs: HostTensors) => {
    const used = Object.fromEntries(model.graph.inputs.map((i) => [i.name, inputs[i.name]]));
    return (await session.run(used))[pooled];
  };
  const evaluator: Evaluator = {
    evaluate: async (inputs) => ({ lossSum: 0, count: 0, logits: await pool(inputs), observed: new Map() }),
    dispose: () => session.dispose(),
  };
  const micro = new MicroBatches(task, evaluator, CPU, warn);
  const cache = new Map<Dataset, Float32Array>();
  for (const { dataset } of [train, validation]) {
    const values = new Float32Array(dataset.examples.length * hidden);
    for (const batch of evaluationOrder(dataset, task.spec.training.batchSize)) {
      await micro.run('evaluation', dataset, batch, async (parts) => {
        for (const { indices, length } of parts) {
          const out = (await pool(task.feeds(dataset, indices, length))).data as Float32Array;
          indices.forEach((example, i) =>
            values.set(out.subarray(i * hidden, (i + 1) * hidden), example * hidden),
          );
        }
      });
    }
    cache.set(dataset, values);
  }
  await session.dispose();
  return headTask(task, hidden, cache);
}

/** The user's model up to the vector that the head reads. */
function poolingModel(task: Task): { model: Model; pooled: string } {
  const graph: Graph = {
    ...task.model.graph,
    nodes: [...task.model.graph.nodes],
    initializers: new Map(task.model.graph.initializers),
  };
  const g = new GraphBuilder(graph, '/features');
  const { output } = task.graph;
  const mask = graph.inputs.find((i) => i.name === 'attention_mask')?.name;
  const pooled = addPooling(g, output, task.infos.get(output)!, task.head!.pooling, mask);
  graph.outputs = [{ name: pooled, dtype: 0, shape: undefined }];
  return { model: { ...task.model, graph: prune(graph) }, pooled };
}

/** The same task on a model that only hands its input, the features, to the head. */
function headTask(task: Task, hidden: number, cache: ReadonlyMap<Dataset, Float32Array>): Task {
  const graph: Graph = { name: 'features', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '/features');
  const input = g.addInput(FEATURES, DType.float, ['batch', hidden]);
  const output = g.op('Identity', [input]);
  g.addOutput(output);
  const info = { dtype: DType.float, shape: ['batch', hidden] };
  return {
    ...task,
    model: { ...task.model, graph },
    infos: new Map([FEATURES, output].map((name) => [name, info])),
    graph: { ...task.graph, output },
    feeds(dataset, indices) {
      const values = cache.get(dataset)!;
      const data = new Float32Array(indices.length * hidden);
      indices.forEach((example, i) =>
        data.set(values.subarray(example * hidden, (example + 1) * hidden), i * hidden),
      );
      const labels = BigInt64Array.from(indices, (i) => BigInt(dataset.examples[i].label));
      return {
        [FEATURES]: { dtype: DType.float, dims: [indices.length, hidden], data },
        [LABELS]: { dtype: DType.int64, dims: [indices.length], data: labels },
      };
    },
  };
}
