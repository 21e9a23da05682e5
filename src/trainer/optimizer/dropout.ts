import { maskName } from '../../adapters/inject';
import { dropoutOf, type LayerAdapter } from '../../adapters/targets/select';
import type { HostTensors } from '../../engine/engine';
import { DType } from '../../graph/dtype';
import { batchMultiple } from '../../graph/sizes/batch-multiple';
import type { TensorInfos } from '../../graph/infos';
import { AuroraError } from '../../base/errors';
import { philox4x32, Stream } from '../../base/random';
import { nameTable } from '../../base/names';

/** One call of a layer that drops part of its input. */
interface MaskedCall {
  name: string;
  features: number;
  /** Whether the tokens of all examples lie on one axis. */
  isFlat: boolean;
  /** Tokens of each example: those of a batch of texts, or always as many, as for images; undefined behind pooling. */
  tokens: 'sequence' | number | undefined;
  probability: number;
  key: number;
}

/**
 * Dropout masks, keyed by (seed, step, example, layer, position, feature): an example's mask does not depend on
 * padding, batching or resuming.
 */
export class DropoutMasks {
  private readonly calls: MaskedCall[];

  /** @param infos shapes of the layers' inputs: (batch, sequence, features), (batch, features), or (batch · positions, features) */
  constructor(
    adapters: readonly LayerAdapter[],
    infos: TensorInfos,
    private readonly seed: number,
  ) {
    this.calls = adapters.flatMap(({ layer, spec }, index) =>
      dropoutOf(spec) === 0
        ? []
        : layer.calls.map((call, nth) => {
            const shape = infos.get(call.input)!.shape;
            const each = batchMultiple(shape[0]!);
            const isFlat = shape.length === 2 && each !== undefined && each > 1;
            const tokens = isFlat ? each : shape.length === 3 ? shape[1] : undefined;
            const known = shape.length === 2 || tokens === 'sequence' || typeof tokens === 'number';
            if (!(isFlat || shape[0] === 'batch') || !known)
              throw new AuroraError(
                'experiment',
                `adapter.dropout cannot be used on ${layer.path}: its input has the shape [${shape.join(', ')}], not [batch, sequence, features].`,
                'Set adapter.dropout to 0, or leave the layer out with adapter.excludeModules.',
              );
            const key = index * 64 + nth;
            return {
              name: maskName(layer.path, nth),
              features: shape.at(-1) as number,
              isFlat,
              tokens: tokens as MaskedCall['tokens'],
              probability: dropoutOf(spec),
              key,
            };
          }),
    );
  }

  /** @param examples what the masks of the batch's rows depend on; @param sequence its padded length */
  masks(step: number, examples: readonly number[], sequence: number): HostTensors {
    const out: HostTensors = nameTable();
    for (const call of this.calls) {
      const tokens = call.tokens === 'sequence' ? sequence : call.tokens;
      const positions = tokens ?? 1;
      const data = new Uint8Array(examples.length * positions * call.features);
      examples.forEach((example, b) => {
        for (let t = 0; t < positions; t++)
          this.fill(data, (b * positions + t) * call.features, call, step, example, t);
      });
      const dims = call.isFlat
        ? [examples.length * positions, call.features]
        : [examples.length, ...(tokens === undefined ? [] : [tokens]), call.features];
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
