import { maskName } from '../../adapters/inject';
import { dropoutOf, type LayerAdapter } from '../../adapters/targets/select';
import { AuroraError } from '../../base/errors';
import { nameTable } from '../../base/names';
import { philox4x32, Stream } from '../../base/random';
import { DType } from '../../graph/dtype';
import { elementCount, type Graph, type Model, type Node } from '../../graph/model';
import { BATCHES, LENGTHS } from '../../graph/sizes/batch-infos';
import type { HostTensors, TensorInfo, TensorInfos } from '../../graph/tensor-infos';

/** A call of a layer that drops part of its input. */
interface MaskedCall {
  name: string;
  features: number;
  /** All axes of its input but the last. */
  axes: CountedAxes;
  probability: number;
  key: number;
}

/** A model, the shapes of its tensors, and the layers that are adapted in it. */
export interface Adapted {
  model: Pick<Model, 'graph'>;
  infos: TensorInfos;
  adapters: readonly LayerAdapter[];
}

/** In place of an example, for inputs that all examples share, such as DeBERTa's relative positions. */
const SHARED = 0xffffffff;

/**
 * Dropout masks, keyed by (seed, step, example, layer, position, feature): an example's mask does not depend on
 * padding, batching or resuming.
 */
export class DropoutMasks {
  private readonly calls: MaskedCall[];

  /** @throws AuroraError 'experiment' if a layer's input has an axis that is neither examples, tokens nor always the same */
  constructor(
    { model, infos, adapters }: Adapted,
    private readonly seed: number,
  ) {
    const rows = new RowAxes(model.graph, infos);
    this.calls = adapters.flatMap(({ layer, spec }, index) =>
      dropoutOf(spec) === 0
        ? []
        : layer.calls.map((call, nth) => {
            const { shape } = infos.get(call.input)!;
            const axes = rows.of(call.input);
            if (!axes)
              throw new AuroraError(
                'experiment',
                `adapter.dropout cannot be used on ${layer.path}: its input has the shape [${shape.join(', ')}], whose rows cannot be assigned to examples and tokens.`,
                'Set adapter.dropout to 0, or leave the layer out with adapter.excludeModules.',
              );
            const key = index * 64 + nth;
            return {
              name: maskName(layer.path, nth),
              features: shape.at(-1) as number,
              axes,
              probability: dropoutOf(spec),
              key,
            };
          }),
    );
  }

  /** @param examples the keys of the masks of the batch's rows; @param length its padded length */
  masks(step: number, examples: readonly number[], length: number): HostTensors {
    const out: HostTensors = nameTable();
    const size = (count: Count) =>
      count === 'batch' ? examples.length : count === 'length' ? length : count;
    for (const call of this.calls) {
      const counts = call.axes.flat();
      const sizes = counts.map(size);
      const rows = elementCount(sizes);
      const data = new Uint8Array(rows * call.features);
      for (let row = 0; row < rows; row++) {
        let example = SHARED;
        let [rest, token, within, unit] = [row, 0, 0, 1];
        for (let i = counts.length - 1; i >= 0; i--) {
          const at = rest % sizes[i]!;
          rest = (rest - at) / sizes[i]!;
          if (counts[i] === 'batch') example = examples[at]!;
          else if (counts[i] === 'length') token = at;
          else {
            within += at * unit;
            unit *= sizes[i]!;
          }
        }
        // The row is not a key: its number within an example may depend on the padded length.
        this.fill(data, row * call.features, call, step, example, token * unit + within);
      }
      const dims = [...call.axes.map((axis) => elementCount(axis.map(size))), call.features];
      out[call.name] = { dtype: DType.bool, dims, data };
    }
    return out;
  }

  /** Eight features per draw: 16 bits decide one. */
  private fill(
    data: Uint8Array,
    start: number,
    call: MaskedCall,
    step: number,
    example: number,
    position: number,
  ): void {
    const bits = new Uint32Array(4);
    const limit = call.probability * 65536;
    for (let f = 0; f < call.features; f += 8) {
      philox4x32(f / 8, position, example, step, this.seed, Stream.dropout * 65536 + call.key, bits);
      for (let k = 0; k < 8 && f + k < call.features; k++) {
        const value = (bits[k >> 1] >>> (16 * (k & 1))) & 0xffff;
        data[start + f + k] = value >= limit ? 1 : 0;
      }
    }
  }
}

/**
 * The things that an axis counts: the examples of a batch, the tokens of its padded length, or always the same number
 * of things.
 */
type Count = 'batch' | 'length' | number;

/** The axes of a tensor, each as the counts that it multiplies, the outermost first. */
type CountedAxes = readonly (readonly Count[])[];

type Axis = TensorInfo['shape'][number];

const SIZES = /^(\d+)\|(\d+)\|(\d+)$/;

/**
 * Finds the example and the position that a row of a tensor belongs to. Builders lay the tokens of all examples on one
 * axis (tokens, features); the Reshape that did so shows which of the two is the outer count.
 */
class RowAxes {
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
