import { tensorName } from '../../adapters/inject';
import { layerValues } from '../../adapters/methods/layer-values';
import { ownValues } from '../../adapters/merge';
import { methodOf } from '../../adapters/methods/registry';
import type { LayerAdapter } from '../../adapters/targets/select';

/** The tensors with every adapter as the identity: the base model in the same session. */
export function withoutAdapters(
  adapters: readonly LayerAdapter[],
  parameters: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  const base = new Map(parameters);
  for (const adapter of adapters) {
    const { neutral } = methodOf(adapter.spec);
    const values = neutral(ownValues(adapter, parameters), adapter, layerValues(adapter.layer));
    for (const [name, data] of Object.entries(values)) base.set(tensorName(adapter, name), data);
  }
  return base;
}
