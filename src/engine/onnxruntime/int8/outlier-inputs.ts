import type { FrozenProduct } from '../../../graph/int8/frozen-products';
import type { ExactInputs } from '../../../graph/int8/int8-products';
import { channelSizes, outlierChannels } from '../../../graph/int8/outliers';
import type { Model } from '../../../graph/model';
import { whileOpen, type Judge } from './judge';

/**
 * The outlier channels of the activations that forward products read, where they have any.
 *
 * @param products by `weightKey`; several, if layers share a weight
 * @param forward the weights of the forward pass
 */
export async function outlierInputs(
  step: Model,
  products: ReadonlyMap<string, readonly FrozenProduct[]>,
  forward: readonly string[],
  judge: Judge,
): Promise<ExactInputs> {
  const inputsOf = (key: string) => products.get(key)!.map(({ node }) => node.inputs[0]);
  const { model, sizes } = channelSizes(step, [...new Set(forward.flatMap(inputsOf))]);
  const out = await whileOpen(judge, model, (opened) => opened.run([...sizes.values()]));
  const found = new Map<string, number[]>();
  for (const key of forward) {
    const all = inputsOf(key).map((x) => out[sizes.get(x)!].data as Float32Array);
    const channels = outlierChannels(all[0].map((_, c) => Math.max(...all.map((size) => size[c]))));
    if (channels.length > 0) found.set(key, channels);
  }
  return found;
}
