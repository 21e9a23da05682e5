import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { elementCount, type Graph, type Tensor } from '../../graph/model';
import { tensorValues } from '../../graph/values';
import { AuroraError } from '../../base/errors';
import type { HostTensor } from '../stepper';
import { largestTensor } from './backends';
import { memoryError } from './failures';
import type { Tf, Value } from './op';
import { upload } from './value';

/** Larger ones are weights and tables, which only the backend reads. */
const HOST_ELEMENTS = 1024;

/**
 * The constants of one task's graphs. Weights are read from the user's file and uploaded once; small ones stay on the
 * host, where they may be axes or sizes, and are uploaded when an operator first needs them on the backend.
 */
export class Frozen {
  private readonly values = new Map<Tensor, Value>();
  private readonly uploads = new Map<HostTensor, TfTensor | undefined>();

  constructor(private readonly tf: Tf) {}

  /** Values by name. Two graphs over one model share the common ones. */
  of(graph: Graph): Map<string, Value> {
    return new Map([...graph.initializers].map(([name, t]) => [name, this.value(t)]));
  }

  /** The constant on the backend; undefined for any other value. */
  uploaded(value: Value): TfTensor | undefined {
    if (value.on === 'device' || !this.uploads.has(value.tensor)) return undefined;
    const tensor =
      this.uploads.get(value.tensor) ?? this.tf.keep(upload(this.tf, value.tensor, 'A constant'));
    this.uploads.set(value.tensor, tensor);
    return tensor;
  }

  dispose(): void {
    for (const v of this.values.values()) if (v.on === 'device') v.tensor.dispose();
    for (const t of this.uploads.values()) t?.dispose();
    this.values.clear();
    this.uploads.clear();
  }

  private value(t: Tensor): Value {
    const known = this.values.get(t);
    if (known) return known;
    const host: HostTensor = { dtype: t.dtype, dims: t.dims, data: tensorValues(t) };
    let value: Value = { on: 'host', tensor: host };
    if (elementCount(t.dims) > HOST_ELEMENTS) {
      value = { on: 'device', tensor: this.upload(host, t.name), dtype: t.dtype };
    } else this.uploads.set(host, undefined);
    this.values.set(t, value);
    return value;
  }

  private upload(host: HostTensor, name: string): TfTensor {
    const bytes = elementCount(host.dims) * 4;
    if (bytes > largestTensor(this.tf))
      throw new AuroraError(
        'memory',
        `The weight ${name} takes ${Math.ceil(bytes / 2 ** 20)} MiB, but a tensor on this GPU may take at most ${Math.floor(largestTensor(this.tf) / 2 ** 20)} MiB.`,
        'Choose the wasm device of this engine, or the ONNX Runtime engine.',
      );
    try {
      return this.tf.keep(upload(this.tf, host, `The tensor ${name}`));
    } catch (e) {
      throw memoryError(this.tf, e) ?? e;
    }
  }
}
