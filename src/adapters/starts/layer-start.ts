import type { StartingSpec, WeightStart } from '../../experiment/methods';
import { layerValues } from '../methods/layer-values';
import { adapterScale } from '../methods/registry';
import type { LayerAdapter } from '../targets/select';
import { oloraStart, pissaStart, type Start, type StartingLayer } from './weight-starts';

/**
 * A layer's weight, of few bits or whole, with the settings of its adapter.
 *
 * @throws AuroraError 'model' if the weight cannot be read without the runtime
 */
export function startingLayer({ layer, spec }: LayerAdapter): StartingLayer {
  const { inFeatures, outFeatures } = layer;
  const weight = layerValues(layer).weight();
  return { weight, inFeatures, outFeatures, rank: (spec as StartingSpec).rank, scale: adapterScale(spec) };
}

/** A and B that are split off a layer's weight by its values alone. */
export const weightStart = (adapter: LayerAdapter, initialization: WeightStart): Start =>
  (initialization === 'pissa' ? pissaStart : oloraStart)(startingLayer(adapter));
