import { append } from '../../../base/gathered';
import { join } from 'node:path';
import { frozenProducts, type FrozenProduct } from '../../../graph/int8/frozen-products';
import { withInt8Products, type ExactInputs } from '../../../graph/int8/int8-products';
import { weightKey, writeInt8Weights } from '../../../graph/int8/weights-file';
import type { Model } from '../../../graph/model';
import type { SessionOptions } from '../session';
import { cosineOf, gradientsOf, whileOpen, type Judge } from './judge';
import { worstFirst } from './kept-layers';
import { largestWeight } from './saturation';
import { outlierInputs } from './outlier-inputs';

export interface Int8Step {
  model: Model;
  /** The parts that stay in float32, and the reasons, in full sentences. */
  warnings: string[];
}

/** The least cosine similarity of each trainable tensor's gradient to that in float32. */
export const AGREEMENT = 0.99;

/**
 * A step's graph with its frozen layers in int8. If the gradients do not agree with float32, the outlier channels of
 * activations are multiplied in float32. If they still do not, the forward pass of as few layers as possible stays in
 * float32. Rounding gradients costs next to nothing: on the demo's model, all of the error is in the forward pass.
 *
 * @param step whose products are marked
 * @param folder of the step's graph; the weights in int8 are written there
 * @param judge by default, all layers are in int8
 */
export async function int8Step(
  step: Model,
  folder: string,
  options: SessionOptions,
  judge?: Judge,
): Promise<Int8Step> {
  const products = new Map<string, FrozenProduct[]>();
  /** Layers, by the weight of their first product, which is the forward one. */
  const layerOf = new Map<string, string>();
  const seen = new Set<string>();
  for (const product of frozenProducts(step.graph).values()) {
    const key = weightKey(product);
    append(products, key, product);
    if (!seen.has(product.layer)) layerOf.set(key, product.layer);
    seen.add(product.layer);
  }
  if (products.size === 0) return { model: step, warnings: [NOTHING] };
  const largest = await largestWeight(options);
  const first = [...products.values()].map(([product]) => product);
  const weights = writeInt8Weights(first, join(folder, 'weights.int8'), largest);
  const everything = withInt8Products(step, weights);
  if (!judge) return { model: everything, warnings: [] };

  const exact = await whileOpen(judge, step, (opened) => gradientsOf(judge, opened));
  const cosine = await cosineOf(judge, everything, exact);
  if (cosine >= AGREEMENT) return { model: everything, warnings: [] };

  const forward = [...layerOf.keys()];
  let [best, exactInputs]: [number, ExactInputs] = [cosine, new Map()];
  const outliers = await outlierInputs(step, products, forward, judge);
  if (outliers.size > 0) {
    const model = withInt8Products(step, weights, new Set(), outliers);
    const found = await cosineOf(judge, model, exact);
    if (found >= AGREEMENT) return { model, warnings: [] };
    if (!(found <= best)) [best, exactInputs] = [found, outliers];
  }

  const { groups, enough } = await worstFirst(step, weights, forward, exactInputs, judge, exact, AGREEMENT);
  for (let n = enough; n <= groups.length; n++) {
    const kept = groups.slice(0, n).flat();
    const model = withInt8Products(step, weights, new Set(kept), exactInputs);
    if ((await cosineOf(judge, model, exact)) >= AGREEMENT) {
      const names = kept.map((key) => layerOf.get(key)!);
      return { model, warnings: [someKept(names, forward.length, best)] };
    }
  }
  return { model: step, warnings: [allKept(best)] };
}

const NOTHING =
  'training.precision "int8" has no effect on this task: none of the products of its steps has a frozen weight in float32.';

const someKept = (kept: readonly string[], of: number, cosine: number): string =>
  `The forward pass of ${kept.length} of ${of} frozen layers stays in float32, because with all of them in int8, the gradients of the first batch are less similar to float32 (cosine ${cosine.toFixed(3)}) than ${AGREEMENT}: ${list(kept)}.`;

const allKept = (cosine: number): string =>
  `All layers stay in float32, although training.precision is "int8": the gradients of the first batch are less similar to float32 (cosine ${cosine.toFixed(3)}) than ${AGREEMENT}, also with only the backward pass in int8.`;

const list = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
