import type { GraphBuilder } from '../graph/builder';
import { DType } from '../graph/dtype';
import type { Outputs } from '../protocol/outputs';
import { addHead, maskInput, OWN_LOGITS } from '../tasks/head';
import type { Task } from '../training/task/task';

/** The output name of the head's logits in an exported model. */
export const logitsName = (task: Task): string =>
  !task.head
    ? task.graph.output
    : task.model.graph.outputs.some((o) => o.name === 'logits')
      ? OWN_LOGITS
      : 'logits';

/**
 * Emits pooling and head after the tensor that the task reads, plus an output for the logits.
 *
 * @param names of the head's weight and bias, which are in the graph
 */
export function addLogits(
  task: Task,
  g: GraphBuilder,
  names: { weight: string; bias: string },
  labels: number | string,
): void {
  const { head } = task;
  if (!head) return;
  const info = task.infos.get(task.graph.output)!;
  const mask = maskInput(task.model.graph.inputs.map((i) => i.name));
  const logits = inUnits(g, addHead(g, task.graph.output, info, { ...head, ...names }, mask), task.data);
  const name = logitsName(task);
  g.op('Identity', [logits], {}, { outputs: [name] });
  const axes = head.pooling === undefined ? ['batch', 'sequence'] : ['batch'];
  g.graph.outputs.push({ name, dtype: DType.float, shape: [...axes, labels] });
}

/** A head for numbers is trained on scaled ones. */
function inUnits(g: GraphBuilder, logits: string, { scale }: Outputs): string {
  if (!scale) return logits;
  const scaled = g.op('Mul', [logits, g.scalar(scale.deviation, DType.float)]);
  return g.op('Add', [scaled, g.scalar(scale.mean, DType.float)]);
}

/** Shapes of the head's two tensors. */
export function headDims(task: Task): { weight: number[]; bias: number[] } {
  const classes = task.data.labels.length;
  const hidden = task.infos.get(task.graph.output)!.shape.at(-1) as number;
  return { weight: [classes, hidden], bias: [classes] };
}
