import { tensorName } from '../../adapters/inject';
import type { LayerAdapter } from '../../adapters/select';

/**
 * The same numbers with every adapter's B at zero. All methods end in a product with B, so that nothing is left of
 * them: the model itself, in the same session.
 */
export function withoutAdapters(
  adapters: readonly LayerAdapter[],
  parameters: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  const base = new Map(parameters);
  for (const adapter of adapters) {
    const name = tensorName(adapter, 'B');
    base.set(name, new Float32Array(parameters.get(name)!.length));
  }
  return base;
}
