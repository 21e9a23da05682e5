import { mergedWeights } from '../../adapters/merge';
import type { StoredTensor } from '../../architectures/folder/header';
import { AuroraError } from '../../base/errors';
import { fromBfloat16, fromHalf, toBfloat16, toHalf } from '../../graph/number-formats';
import type { Tensor } from '../../graph/model';
import { readFileRef, tensorValues } from '../../graph/values';
import type { Rounding } from '../../protocol/export';
import type { Task } from '../../training/task/task';

const SIXTEEN_BITS = {
  F16: { encode: toHalf, decode: fromHalf },
  BF16: { encode: toBfloat16, decode: fromBfloat16 },
};

/** Components of a pipeline may have weights of the same name. */
const placeOf = ({ name, data }: StoredTensor): string => `${data.path}\0${name}`;

/**
 * The stored weights that a run's adapters change. Each is merged when it is written, so that memory holds one at a time.
 */
export class ChangedWeights {
  private largest = 0;
  private lost = 0;
  private change = 0;
  private type: Rounding['type'] | undefined;
  /** The function that gives the values, and the weight before, by file and name in it. */
  private readonly changes = new Map<string, { before: Tensor; merged: () => Tensor | undefined }>();

  /** @throws AuroraError 'model' for an adapter on a weight that the embedding has too */
  constructor(
    { adapters, spec }: Task,
    parameters: ReadonlyMap<string, Float32Array>,
    places: ReadonlyMap<string, StoredTensor>,
  ) {
    for (const adapter of adapters) {
      const { layer } = adapter;
      if (layer.sharedWith.length > 0)
        throw new AuroraError(
          'model',
          `${layer.path} has the same weight as ${layer.sharedWith.join(', ')} in ${spec.model.path}, so an adapter of it alone cannot be merged.`,
          'Export with --as onnx-merged, or leave the layer out with adapter.excludeModules.',
        );
      for (const before of [layer.weight, ...(layer.bias ? [layer.bias.tensor] : [])])
        this.changes.set(placeOf(places.get(before.name)!), {
          before,
          merged: () => mergedWeights([adapter], parameters).changed.get(before.name),
        });
    }
  }

  has(stored: StoredTensor): boolean {
    return this.changes.has(placeOf(stored));
  }

  /** A weight with its adapter, in its stored type. */
  bytes(stored: StoredTensor): Uint8Array {
    const { name, dtype, data } = stored;
    const { before, merged } = this.changes.get(placeOf(stored))!;
    const tensor = merged();
    // An adapter may change only the bias, or only the weight.
    if (!tensor) return readFileRef(data);
    const values = tensorValues(tensor) as Float32Array;
    requireFinite(name, values);
    if (dtype === 'F32') return new Uint8Array(values.buffer);
    return this.rounded(name, dtype as Rounding['type'], values, tensorValues(before) as Float32Array);
  }

  private rounded(name: string, type: Rounding['type'], values: Float32Array, before: Float32Array) {
    const { encode, decode } = SIXTEEN_BITS[type];
    const out = new Uint16Array(values.length);
    const kept = new Float32Array(values.length);
    for (let i = 0; i < values.length; i++) {
      out[i] = encode(values[i]);
      kept[i] = decode(out[i]);
      const off = Math.abs(kept[i] - values[i]);
      this.largest = Math.max(this.largest, off);
      this.lost += off ** 2;
      this.change += (values[i] - before[i]) ** 2;
    }
    requireFinite(name, kept);
    this.type = type;
    return new Uint8Array(out.buffer);
  }

  /** The error added by storing them in 16 bits; undefined in float32. */
  get rounding(): Rounding | undefined {
    const { type, largest, lost, change } = this;
    return type && { type, largest, share: change === 0 ? 0 : Math.sqrt(lost / change) };
  }
}

function requireFinite(name: string, values: Float32Array): void {
  if (values.every(Number.isFinite)) return;
  throw new AuroraError(
    'model',
    `The merged weight ${name} has values that its stored type cannot hold.`,
    'Choose an earlier checkpoint with --at, or export with --as onnx-merged.',
  );
}
