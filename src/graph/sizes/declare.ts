import { filterValueInfo, valueInfoBytes } from '../declared';
import type { TensorInfo } from '../infos';
import type { Graph } from '../model';
import { UnknownSize } from './rule';
import { fixSizes } from './sizes';

/** Sizes of the open axes of the inputs, in turn: of different expressions of them, no two agree in all three. */
const TRIED = [
  [2, 7, 17, 29],
  [3, 11, 19, 31],
  [5, 13, 23, 37],
] as const;

/**
 * A graph that declares the shape of each tensor, with the same name for equal open sizes: ONNX Runtime compares each new
 * tensor with all that are free again, and where it cannot know that two are equal, it takes minutes to open a graph of
 * 50,000 nodes. An exporter's declarations are replaced. The graph itself if a size is known only once it runs.
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
      if (!first) return [];
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
