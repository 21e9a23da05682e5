import { injectAdapters, tensorName } from '../../adapters/inject';
import { mergeAdapters } from '../../adapters/merge';
import { selectAdapters } from '../../adapters/select';
import { addHead } from '../../engine/head';
import { GraphBuilder } from '../../graph/builder';
import { forOpset } from '../../graph/downgrade';
import { DType } from '../../graph/dtype';
import { findLinearLayers } from '../../graph/linear';
import type { Graph, Model, Node } from '../../graph/model';
import { liftConstants } from '../../graph/upgrade/constants';
import { tensorOf } from '../../graph/values';
import { AuroraError } from '../../shared/errors';
import type { Task } from '../task';

export type ExportForm = 'onnx-dynamic' | 'onnx-merged';

/** The trained model as one that any ONNX runtime can run. With a head it has one output more: the logits. */
export function exportedModel(
  task: Task,
  parameters: ReadonlyMap<string, Float32Array>,
  form: ExportForm,
): Model {
  const model = form === 'onnx-dynamic' ? dynamicModel(task, parameters) : mergedModel(task, parameters);
  const metadata = new Map([
    ...model.metadata,
    ['aurora.labels', JSON.stringify(task.data.labels)],
    ['aurora.form', form],
  ]);
  return { ...model, metadata };
}

/** The name under which the head's logits leave an exported model. */
export const logitsName = (task: Task): string =>
  !task.head
    ? task.graph.output
    : task.model.graph.outputs.some((o) => o.name === 'logits')
      ? 'aurora_logits'
      : 'logits';

/** The trained forward itself: adapters as nodes, at the internal opset. */
function dynamicModel(task: Task, parameters: ReadonlyMap<string, Float32Array>): Model {
  const { graph } = injectAdapters(task.model.graph, task.adapters, DType.float);
  const outputs = [...graph.outputs];
  const result: Graph = { ...graph, outputs };
  const g = new GraphBuilder(result, '/aurora');
  for (const a of task.adapters)
    for (const t of a.tensors) {
      const name = tensorName(a, t.name);
      g.addInitializer(tensorOf(name, DType.float, t.dims, parameters.get(name)!));
    }
  addTrainedHead(task, g, parameters);
  return { ...task.model, graph: result };
}

/** The user's own file with W0 + ΔW in place of W0: the static form, at the file's own opset. */
function mergedModel(task: Task, parameters: ReadonlyMap<string, Float32Array>): Model {
  const original = { ...task.original, graph: liftConstants(task.original.graph) };
  const layers = findLinearLayers(original.graph);
  const { adapters } = selectAdapters(original.graph, layers, task.spec.adapter);
  const missing = task.adapters.find((a) => !adapters.some((b) => b.layer.path === a.layer.path));
  if (missing)
    throw new AuroraError(
      'model',
      `${missing.layer.path} is a fused operator in ${task.spec.model.path}, so its weight cannot be replaced in place.`,
      'Export with --as onnx-dynamic, or train on an export without fused operators.',
    );
  const merged = mergeAdapters(original, adapters, parameters);
  const added: Node[] = [];
  const graph: Graph = { ...merged.graph, outputs: [...merged.graph.outputs] };
  addTrainedHead(task, new GraphBuilder(graph, '/aurora', added), parameters);
  graph.nodes = [...merged.graph.nodes, ...forOpset(added, graph, original.opsets.get('') ?? 1)];
  // Before IR version 4 every initializer had to be an input too.
  return { ...merged, irVersion: Math.max(4, merged.irVersion), graph };
}

function addTrainedHead(task: Task, g: GraphBuilder, parameters: ReadonlyMap<string, Float32Array>): void {
  const { head } = task;
  if (!head) return;
  const info = task.infos.get(task.graph.output)!;
  const hidden = info.shape.at(-1) as number;
  g.addInitializer(tensorOf(head.weight, DType.float, [head.classes, hidden], parameters.get(head.weight)!));
  g.addInitializer(tensorOf(head.bias, DType.float, [head.classes], parameters.get(head.bias)!));
  const mask = task.model.graph.inputs.some((i) => i.name === 'attention_mask')
    ? 'attention_mask'
    : undefined;
  const name = logitsName(task);
  g.op('Identity', [addHead(g, task.graph.output, info, head, mask)], {}, { outputs: [name] });
  g.graph.outputs.push({ name, dtype: DType.float, shape: ['batch', head.classes] });
}
