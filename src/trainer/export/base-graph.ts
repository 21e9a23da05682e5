import type { LayerAdapter } from '../../adapters/targets/select';
import type { Graph, Model } from '../../graph/model';
import { cacheInputs, keptLogitsInput, USE_CACHE } from '../../graph/past/cache-inputs';
import { packedCaches } from '../../graph/past/packed-cache';
import { isMerged } from '../../graph/past/decoder-branch';
import { withPast } from '../../graph/past/with-past';
import { DType } from '../../graph/dtype';
import type { HostTensors } from '../../graph/host-tensor';
import { tensorOf, tensorValues } from '../../graph/values';
import { nameTable } from '../../base/names';
import { onModel } from '../../tasks/decoder-graphs';
import { unusedCache } from '../generation/cache';
import type { Task } from '../task/task';

/** Whether exported graphs have the cache of the base model's file. Two decoders in one file do not fit into one graph. */
const keepsPast = ({ original }: Pick<Task, 'original'>): boolean =>
  cacheInputs(original.graph).length > 0 && !isMerged(original);

/** The graph that an export puts its adapters into, at the internal opset, and the adapters on its layers. */
export function baseGraph(task: Task): { model: Model; adapters: readonly LayerAdapter[] } {
  const { model, adapters } = task;
  if (!keepsPast(task)) return { model, adapters };
  const whole = withPast(task.original);
  const fitted = onModel(whole, adapters);
  return fitted ? { model: whole, adapters: fitted } : { model, adapters };
}

/** What a file's graph reads besides texts, for texts from their beginning and the logits of all their tokens. */
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
