import { lengthOf } from '../../data/batch';
import { DType } from '../../graph/dtype';
import { modelInputs, batchFeeds } from '../../tasks/task-data';
import type { Task } from '../task/task';
import type { Prefix } from './prefix';
import type { FrozenValues } from './values';

/** A task on the rest after a prefix, with the prefix's values as input. */
export function restTask(task: Task, { tensor, width, perToken, rest }: Prefix, values: FrozenValues): Task {
  const { graph, output } = rest;
  const model = { ...task.model, graph };
  const others = modelInputs(model).filter((i) => i.name !== tensor);
  const info = { dtype: DType.float, shape: perToken ? ['batch', 'sequence', width] : ['batch', width] };
  return {
    ...task,
    model,
    // The output is either the model's own or the prefix's values themselves.
    infos: new Map([[output, info], ...task.infos, [tensor, info]]),
    graph: { ...task.graph, output },
    // The images have been read already.
    readAhead: () => undefined,
    async feeds(dataset, indices, length = lengthOf(dataset, indices)) {
      const rows = perToken ? length : 1;
      const dims = perToken ? [indices.length, length, width] : [indices.length, width];
      const frozen = { dtype: DType.float, dims, data: values.read(dataset, indices, rows) };
      return { ...(await batchFeeds(task.kind, others, dataset, indices, length)), [tensor]: frozen };
    },
  };
}
