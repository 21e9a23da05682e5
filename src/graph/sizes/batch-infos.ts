import type { TensorInfo } from '../infos';
import type { Graph } from '../model';
import { UnknownSize } from './rule';
import { fixSizes } from './sizes';

/** Batches whose sizes reveal the axes that depend on the batch, as in a probe. */
const BATCHES = [2, 3, 5];

/**
 * The results of a probe for inputs of which only the batch is open, from their sizes alone: a probe would run the
 * model at its full size, five examples at once.
 *
 * @param inputs sizes of one example, by input
 * @returns undefined if the size of some tensor is known only once the model runs
 */
export const batchInfos = (
  graph: Graph,
  inputs: ReadonlyMap<string, readonly number[]>,
): Map<string, TensorInfo> | undefined =>
  infosOf(graph, (batch) => new Map(Array.from(inputs, ([name, dims]) => [name, [batch, ...dims]])));

/** The infos of a graph whose inputs state all sizes but the batch's. */
export function statedInfos(graph: Graph): Map<string, TensorInfo> | undefined {
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  const isOpen = (dim: unknown) => typeof dim !== 'number' && dim !== BATCH;
  if (inputs.some(({ shape }) => !shape || shape.some(isOpen))) return undefined;
  return infosOf(
    graph,
    (batch) =>
      new Map(
        inputs.map(({ name, shape }) => [name, shape!.map((d) => (typeof d === 'number' ? d : batch))]),
      ),
  );
}

const BATCH = 'batch';

function infosOf(
  graph: Graph,
  sizesOf: (batch: number) => ReadonlyMap<string, number[]>,
): Map<string, TensorInfo> | undefined {
  try {
    const [first, ...others] = BATCHES.map((batch) => fixSizes(graph, sizesOf(batch)).infos);
    const infos = new Map<string, TensorInfo>();
    for (const [name, { dtype, shape }] of first!)
      infos.set(name, {
        dtype,
        shape: shape.map((_, axis) =>
          axisOf([shape, ...others.map((o) => o.get(name)!.shape)].map((s) => s[axis]!)),
        ),
      });
    return infos;
  } catch (e) {
    if (e instanceof UnknownSize) return undefined;
    throw e;
  }
}

function axisOf(sizes: readonly number[]): number | string {
  if (sizes.every((size) => size === sizes[0])) return sizes[0]!;
  return sizes.every((size, i) => size === BATCHES[i]) ? BATCH : sizes.join('|');
}
