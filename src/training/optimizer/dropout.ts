import { maskName } from '../../adapters/inject';
import { dropoutOf, type LayerAdapter } from '../../adapters/targets/select';
import type { HostTensors } from '../../engine/stepper';
import { DType } from '../../graph/dtype';
import type { TensorInfos } from '../../graph/tensor-infos';
import { elementCount, type Model } from '../../graph/model';
import { AuroraError } from '../../base/errors';
import { philox4x32, Stream } from '../../base/random';
import { nameTable } from '../../base/names';
import { RowAxes, type Count, type CountedAxes } from './row-axes';

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
