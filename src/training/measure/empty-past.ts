import type { Graph } from '../../graph/model';
import { cacheInputs, keptLogitsInput, USE_CACHE, packedCaches } from '../../graph/without-past';
import { DType } from '../../graph/dtype';
import type { HostTensors } from '../../graph/tensor-infos';
import { tensorOf, tensorValues } from '../../graph/values';
import { nameTable } from '../../base/names';
import { unusedCache } from '../generation/cache';

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
