import { filterValueInfo, valueInfoBytes } from '../declared';
import type { TensorInfo } from '../infos';
import { elementCount, type Graph } from '../model';
import { UnknownSize } from './rule';
import { fixSizes } from './sizes';

/** Sizes of the open axes of the inputs, in turn: of different expressions of them, no two agree in all three. */
const TRIED = [
  [2, 7, 17, 29],
  [3, 11, 19, 31],
  [5, 13, 23, 37],
] as const;

/** Elements at the last of the sizes above, of which inputs of two axes have 65 rows: about 64 numbers in each. */
const LARGE = 4096;

/**
 * A graph that declares the shapes of its small tensors, with the same name for equal open sizes: ONNX Runtime compares each new
 * tensor with all that are free again, and where it cannot know that two are equal, it takes minutes to open a graph of
 * 50,000 nodes. For each tensor of a known size, it keeps a buffer. Large ones are left to its allocator, which has fewer and
 * finds one that is in the cache: a step of 6 layers × 384 with all linear layers adapted takes 0.95 times the time. An exporter's
 * declarations are replaced. The graph itself if a size is known only once it runs.
 */
export function declareSizes(graph: Graph): Graph {
  const open = [...new Set(graph.inputs.flatMap((i) => i.shape ?? []).filter((d) => typeof d === 'string'))];
  if (open.length > TRIED[0].length || graph.inputs.some((i) => !i.shape || i.shape.includes(undefined)))
    return graph;
  const sizesOf = (sizes: readonly number[]) =>
    new Map(
      graph.inputs.map(
        ({ name, shape }) =>
          [name, shape!.map((d) => (typeof d === 'number' ? d : sizes[open.indexOf(d!)]))] as const,
      ),
    );
  let infos: ReadonlyMap<string, TensorInfo & { shape: number[] }>[];
  try {
    infos = TRIED.map((sizes) => fixSizes(graph, sizesOf(sizes)).infos);
  } catch (e) {
    if (e instanceof UnknownSize) return graph;
    throw e;
  }
  const names = new Map(open.map((name, i) => [TRIED.map((sizes) => sizes[i]).join('|'), name]));
  const declared = graph.nodes.flatMap((n) =>
    n.outputs.flatMap((name) => {
      const [first, ...others] = infos.map((found) => found.get(name));
      if (!first || elementCount(infos.at(-1)!.get(name)!.shape) >= LARGE) return [];
      const shape = first.shape.map((size, axis) => {
        const all = [size, ...others.map((o) => o!.shape[axis])];
        if (all.every((s) => s === size)) return size;
        return names.get(all.join('|')) ?? all.join('|');
      });
      return [valueInfoBytes({ name, dtype: first.dtype, shape })];
    }),
  );
  const others = filterValueInfo(graph, (name) => !infos[0].has(name)) ?? [];
  return { ...graph, unknown: [...others, ...declared] };
}
