import type { TensorInfo, TensorInfos } from '../../graph/tensor-infos';
import type { Graph, Node } from '../../graph/model';
import { BATCHES, LENGTHS } from '../../graph/sizes/batch-infos';

/**
 * The things that an axis counts: the examples of a batch, the tokens of its padded length, or always the same number
 * of things.
 */
export type Count = 'batch' | 'length' | number;

/** The axes of a tensor, each as the counts that it multiplies, the outermost first. */
export type CountedAxes = readonly (readonly Count[])[];

type Axis = TensorInfo['shape'][number];

const SIZES = /^(\d+)\|(\d+)\|(\d+)$/;

/**
 * Finds the example and the position that a row of a tensor belongs to. Builders lay the tokens of all examples on one
 * axis (tokens, features); the Reshape that did so shows which of the two is the outer count.
 */
export class RowAxes {
  private readonly producers = new Map<string, Node>();
  private readonly names: { batch: Set<Axis>; length: Set<Axis> };

  /** @param infos shapes of the graph's tensors, from a probe or from sizes alone */
  constructor(
    graph: Graph,
    private readonly infos: TensorInfos,
  ) {
    for (const node of graph.nodes) for (const y of node.outputs) this.producers.set(y, node);
    // Exporters name these axes as they like: batch_size, sequence_length.
    const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
    const named = (axis: number) => inputs.map(({ name }) => infos.get(name)?.shape[axis]);
    const open = (axes: (Axis | undefined)[]) =>
      new Set(axes.filter((a): a is string => typeof a === 'string' && !SIZES.test(a)));
    const batch = open(named(0)).add('batch');
    this.names = { batch, length: new Set([...open(named(1))].filter((a) => !batch.has(a))) };
  }

  /** @returns undefined if an axis but the last depends on the inputs in another way */
  of(tensor: string): CountedAxes | undefined {
    const axes = this.infos
      .get(tensor)!
      .shape.slice(0, -1)
      .map((axis) => this.counts(axis));
    if (axes.includes(undefined)) return undefined;
    const [first, ...others] = axes as Count[][];
    return first && first.length > 1 ? [this.ordered(tensor, first), ...others] : (axes as Count[][]);
  }

  /** In the usual order: all of an example's tokens in a row. */
  private counts(axis: Axis): Count[] | undefined {
    if (typeof axis === 'number') return [axis];
    if (this.names.batch.has(axis)) return ['batch'];
    if (this.names.length.has(axis)) return ['length'];
    const sizes = SIZES.exec(axis)?.slice(1).map(Number);
    if (!sizes) return undefined;
    // With several lengths, as of an encoder and a decoder, the padded length of which is not known here.
    const lengths = this.names.length.size === 1 ? LENGTHS.flat() : [];
    for (const [counts, base] of [
      ...BATCHES.slice(0, 1).map((b) => [['batch'], b] as const),
      ...lengths.map((l) => [['length'], l] as const),
      ...lengths.map((l) => [['batch', 'length'], l.map((n, i) => n * BATCHES[0]![i]!)] as const),
    ]) {
      const times: number = sizes[0]! / base[0]!;
      if (Number.isInteger(times) && sizes.every((size, i) => size === times * base[i]!))
        return times === 1 ? [...counts] : [...counts, times];
    }
    return undefined;
  }

  /** The counts of a tensor's first axis as they were before they became one axis. */
  private ordered(tensor: string, counts: readonly Count[]): readonly Count[] {
    const axis = this.infos.get(tensor)!.shape[0]!;
    const seen = new Set<string>();
    const open = [tensor];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const node = this.producers.get(name);
      if (!node || seen.has(name)) continue;
      seen.add(name);
      for (const x of node.inputs) {
        const shape = this.infos.get(x)?.shape;
        if (shape?.includes(axis)) open.push(x);
        else if (node.opType === 'Reshape' && x === node.inputs[0]) {
          const apart = this.leading(shape ?? [], counts);
          if (apart) return apart;
        }
      }
    }
    return counts;
  }

  /** The first axes of a shape, if their counts are these in some order. */
  private leading(shape: readonly Axis[], counts: readonly Count[]): Count[] | undefined {
    const found: Count[] = [];
    const key = (all: readonly Count[]) => {
      const times = all.reduce<number>((n, c) => (typeof c === 'number' ? n * c : n), 1);
      return `${all.includes('batch')} ${all.includes('length')} ${times}`;
    };
    for (const axis of shape) {
      const own = this.counts(axis);
      if (!own) return undefined;
      found.push(...own);
      if (key(found) === key(counts)) return found;
    }
    return undefined;
  }
}
