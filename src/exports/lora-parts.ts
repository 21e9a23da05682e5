import { ownValues } from '../adapters/merge';
import { layerValues } from '../adapters/methods/layer-values';
import { plainLora } from '../adapters/methods/lora';
import { adapterScale, methodOf } from '../adapters/methods/registry';
import { plainAdapter, plainSpec, plainValues } from '../adapters/starts/plain-adapter';
import type { LayerAdapter } from '../adapters/targets/select';
import { AuroraError } from '../base/errors';
import { isRanked, type LoraSpec, methodName, splitsWeight, type TrainedSpec } from '../experiment/methods';
import type { FloatTensor } from '../graph/file/safetensors';
import { isPeftLora } from '../peft/adapter-config';

type Parameters = ReadonlyMap<string, Float32Array>;

/** An adapter's tensors as PEFT's LoRA has them (lora_A.weight, lora_B.weight), without their scale. */
export type PartsOf = (adapter: LayerAdapter) => Map<string, FloatTensor>;

/**
 * The tensors of adapters as those of a LoRA; PEFT's LoRA and its variants have their own.
 *
 * @throws AuroraError 'usage' where a rank exceeds the layer's
 */
export const loraParts = (settings: TrainedSpec, parameters: Parameters): PartsOf =>
  isPeftLora(settings)
    ? (a) => ownParts(a, parameters)
    : (a) => (a.beside ? ownParts : staticParts)(a, parameters);

function ownParts(a: LayerAdapter, parameters: Parameters): Map<string, FloatTensor> {
  const values = plainValues(a, ownValues(a, parameters));
  return new Map(
    plainAdapter(a).tensors.map(({ name, peftName, dims }) => [peftName, { dims, data: values[name] }]),
  );
}

/**
 * Refuses an adapter that was split off the weights and whose LoRA of twice the rank exceeds a layer.
 *
 * @throws AuroraError 'usage'
 */
export function requireRoom(adapters: readonly LayerAdapter[]): void {
  for (const { layer, spec } of adapters) {
    if (!splitsWeight(spec)) continue;
    const { rank } = plainSpec(spec) as LoraSpec;
    if (rank > Math.min(layer.inFeatures, layer.outFeatures))
      throw noLora(
        `${methodName(spec)} with a part of the weights, which is a LoRA of rank ${rank} on them, more than ${layer.path} allows`,
      );
  }
}

/** The static form of another method as a LoRA. */
function staticParts(a: LayerAdapter, parameters: Parameters): Map<string, FloatTensor> {
  const { layer } = a;
  const { A, B } = methodOf(a.spec).lowRank!(ownValues(a, parameters), a, layerValues(layer));
  const rank = B.length / layer.outFeatures;
  if (rank > Math.min(layer.inFeatures, layer.outFeatures))
    throw noLora(`a rank of ${rank}, more than ${layer.path} allows`);
  return new Map([
    ['lora_A.weight', { dims: [rank, layer.inFeatures], data: A }],
    ['lora_B.weight', { dims: [layer.outFeatures, rank], data: B }],
  ]);
}

/**
 * The LoRA equivalent to a method's static form.
 *
 * @throws AuroraError 'usage' for a method that is no product of a small rank
 */
export function asLora(settings: TrainedSpec): LoraSpec {
  if (!isRanked(settings) || !methodOf(settings).lowRank) throw noLora(methodName(settings));
  const plain = plainLora(settings.rank);
  // A method without an alpha has one number as its scale, or one for each rank, so that this alpha fits every layer.
  const alpha = adapterScale(settings) * settings.rank;
  return { ...plain, alpha, ...settings, method: plain.method };
}

export const noLora = (what: string): AuroraError =>
  new AuroraError(
    'usage',
    `The run trained ${what}; that cannot be written as a LoRA.`,
    'Export it with --as onnx-merged or onnx-dynamic.',
  );
