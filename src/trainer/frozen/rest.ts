import type { HostTensors } from '../../engine/engine';
import { LABELS } from '../../engine/program';
import { DType } from '../../graph/dtype';
import type { Task } from '../task';
import type { Prefix } from './prefix';
import type { FrozenValues } from './values';

/** The same task on what comes after a prefix, which is fed the prefix's values. */
export function restTask(task: Task, { tensor, width, perToken, rest }: Prefix, values: FrozenValues): Task {
  const { graph, output } = rest;
  const names = [
    ...graph.inputs.map((i) => i.name).filter((n) => n !== tensor && !graph.initializers.has(n)),
    LABELS,
  ];
  const info = { dtype: DType.float, shape: perToken ? ['batch', 'sequence', width] : ['batch', width] };
  return {
    ...task,
    model: { ...task.model, graph },
    // The output is the model's own, or the prefix's values again.
    infos: new Map([[output, info], ...task.infos, [tensor, info]]),
    graph: { ...task.graph, output },
    feeds(dataset, indices, length = Math.max(...indices.map((i) => dataset.examples[i].ids.length))) {
      const whole = task.feeds(dataset, indices, length);
      const kept: HostTensors = Object.fromEntries(names.map((name) => [name, whole[name]]));
      const rows = perToken ? length : 1;
      const dims = perToken ? [indices.length, length, width] : [indices.length, width];
      return { ...kept, [tensor]: { dtype: DType.float, dims, data: values.read(dataset, indices, rows) } };
    },
  };
}
