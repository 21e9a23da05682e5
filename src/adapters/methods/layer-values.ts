import { isFloat } from '../../graph/dtype';
import type { LinearLayer } from '../../graph/layers/linear';
import type { Tensor } from '../../graph/model';
import { floatValues } from '../../graph/values';
import { AuroraError } from '../../base/errors';
import type { LayerValues } from './method';

/**
 * A layer's own values, read on demand: the weight (out, in) as it multiplies, including Gemm's alpha.
 * @throws AuroraError 'model' if they cannot be computed without the runtime
 */
export const layerValues = (layer: LinearLayer): LayerValues => ({
  weight() {
    const { inFeatures, outFeatures, transposed, alpha } = layer;
    if (layer.dequantize) return layer.dequantize();
    const stored = floats(layer, layer.weight);
    if (transposed && alpha === 1) return stored;
    const out = new Float32Array(inFeatures * outFeatures);
    for (let o = 0; o < outFeatures; o++)
      for (let i = 0; i < inFeatures; i++) out[o * inFeatures + i] = alpha * stored[placeOf(layer, o, i)];
    return out;
  },
  bias() {
    if (!layer.bias) throw new Error(`${layer.path} has no bias`);
    const { tensor, first = 0 } = layer.bias;
    return floats({ ...layer, plain: true }, tensor).subarray(first, first + layer.outFeatures);
  },
});

/** The place of a layer's weight in its initializer. */
export function placeOf(
  { inFeatures, outFeatures, transposed, weight, firstColumn }: LinearLayer,
  output: number,
  input: number,
): number {
  if (firstColumn !== undefined) return input * weight.dims[1] + firstColumn + output;
  return transposed ? output * inFeatures + input : input * outFeatures + output;
}

function floats({ path, plain }: LinearLayer, tensor: Tensor): Float32Array {
  if (!plain || !isFloat(tensor.dtype))
    throw new AuroraError(
      'model',
      `${tensor.name} of ${path} is not stored as floats, but this adapter method starts from its values.`,
      'Use LoRA or AuroRA on this model: they do not read these values.',
    );
  return floatValues(tensor);
}
