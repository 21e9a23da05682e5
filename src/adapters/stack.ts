import { tensorName } from './stored-tensors';
import { AuroraError } from '../base/errors';
import { methodName } from '../experiment/methods';
import { STRENGTH } from './inject';
import { type AdapterTensor, constant } from './methods/method';
import { methodOf } from './methods/registry';
import type { LayerAdapter } from './targets/select';

/** The adapters of one training, and the weight by which their changes are multiplied. */
export interface WeightedAdapters {
  adapters: readonly LayerAdapter[];
  /** By `tensorName`. */
  parameters: ReadonlyMap<string, Float32Array>;
  weight: number;
}

/** Several trainings' adapters on one model. */
export interface AdapterStack {
  adapters: LayerAdapter[];
  /** By `tensorName`, also those of the first that belong to no adapter. */
  parameters: Map<string, Float32Array>;
  /** Changes the weights: of each part, in order. */
  weigh(weights: readonly number[]): void;
}

/** It is fed with the trained tensors, so that it can change from one answer to the next. */
const strength: AdapterTensor = {
  name: STRENGTH,
  dims: [],
  rankAxes: [],
  peftName: STRENGTH,
  init: constant(1),
};

/**
 * Adapters of several trainings as those of one: y = W x + Σ wᵢ Δᵢ(x), where Δᵢ is what the i-th alone adds to the layer's
 * output: B A x of a LoRA, B σ(A x) of AuroRA. Of linear ones, the sum is that of the merged weights, Σ wᵢ ΔWᵢ.
 *
 * @throws AuroraError 'usage' for weights that were trained whole, which replace the layer's
 */
export function stackAdapters(parts: readonly WeightedAdapters[]): AdapterStack {
  const parameters = new Map(parts[0]?.parameters);
  const slots = parts.map(({ adapters, parameters: own }, i) => {
    const slot = i === 0 ? undefined : `adapter${i + 1}`;
    return adapters.map((adapter): LayerAdapter => {
      if (methodOf(adapter.spec).weight) throw notAdded(adapter);
      const stacked = { ...adapter, slot, tensors: [...adapter.tensors, strength] };
      for (const { name } of adapter.tensors)
        parameters.set(tensorName(stacked, name), own.get(tensorName(adapter, name))!);
      return stacked;
    });
  });
  const weigh = (weights: readonly number[]) =>
    slots.forEach((adapters, i) => {
      for (const adapter of adapters)
        parameters.set(tensorName(adapter, STRENGTH), Float32Array.of(weights[i]!));
    });
  weigh(parts.map(({ weight }) => weight));
  return { adapters: slots.flat(), parameters, weigh };
}

const notAdded = ({ spec, layer }: LayerAdapter): AuroraError =>
  new AuroraError(
    'usage',
    `${methodName(spec)} replaced the weights of ${layer.path}, so that it cannot be combined with other adapters.`,
    'Combine adapters of other methods, or open this one alone.',
  );
