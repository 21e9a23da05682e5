import { join } from 'node:path';
import { frozenProducts } from '../../../graph/int8/frozen-products';
import { withInt8Products } from '../../../graph/int8/int8-products';
import { roundingErrors } from '../../../graph/int8/rounding-errors';
import { weightKey, writeInt8Weights } from '../../../graph/int8/weights-file';
import type { Model } from '../../../graph/model';
import type { HostTensors } from '../../engine';
import type { SessionOptions } from '../session';
import { leastCosine, type Gradients } from './agreement';
import { largestWeight } from './saturation';

/** Runs a graph once on the batch that int8 is judged on. */
export interface Judge {
  run(model: Model, outputs: readonly string[]): Promise<HostTensors>;
  /** The outputs of the step's graph that are gradients, by the name of the trainable tensor. */
  gradients: ReadonlyMap<string, string>;
}

export interface Int8Step {
  model: Model;
  /** What stays in float32, and why, in full sentences. */
  warnings: string[];
}

/** The least cosine similarity of each trainable tensor's gradient to that in float32. */
export const AGREEMENT = 0.99;
/**
 * Shares of the layers whose forward pass stays in float32, those with the largest rounding errors first, until the
 * gradients agree. Rounding gradients costs next to nothing: on the demo's model, all of the error is in the forward pass.
 */
const SHARES = [0, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1];

/**
 * A step's graph with its frozen layers in int8, except for those that do not tolerate it.
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
  const products = [...frozenProducts(step.graph).values()];
  /** The weight of each layer's first product, which is the forward one. */
  const forward = new Map<string, string>();
  for (const product of products)
    if (!forward.has(product.layer)) forward.set(product.layer, weightKey(product));
  const layers = [...forward.keys()];
  if (layers.length === 0) return { model: step, warnings: [NOTHING] };
  const weights = writeInt8Weights(products, join(folder, 'weights.int8'), await largestWeight(options));
  if (!judge) return { model: withInt8Products(step, weights), warnings: [] };
  const gradientsOf = async (model: Model): Promise<Gradients> => {
    const out = await judge.run(model, [...judge.gradients.values()]);
    return new Map([...judge.gradients].map(([name, y]) => [name, out[y].data as Float32Array]));
  };
  const exact = await gradientsOf(step);
  const tried: number[] = [];
  let worstFirst = layers;
  for (const share of SHARES) {
    if (tried.length === 1) {
      const errors = await largestErrors(roundingErrors(step, weights), judge);
      const of = (layer: string) => errors.get(forward.get(layer)!)!;
      worstFirst = layers.toSorted((a, b) => of(b) - of(a));
    }
    const kept = worstFirst.slice(0, Math.ceil(share * layers.length));
    const model = withInt8Products(step, weights, new Set(kept.map((layer) => forward.get(layer)!)));
    const cosine = leastCosine(exact, await gradientsOf(model));
    if (cosine >= AGREEMENT)
      return { model, warnings: kept.length ? [someKept(kept, layers.length, tried[0])] : [] };
    tried.push(cosine);
  }
  return { model: step, warnings: [allKept(tried[0])] };
}

/** The largest error of each weight's products. */
async function largestErrors(
  { model, errors }: ReturnType<typeof roundingErrors>,
  judge: Judge,
): Promise<Map<string, number>> {
  const out = await judge.run(model, [...errors.values()].flat());
  // A product that is 0 has no error.
  const of = (name: string) => Number(out[name].data[0]) || 0;
  return new Map([...errors].map(([key, names]) => [key, Math.max(...names.map(of))]));
}

const NOTHING =
  'training.precision "int8" has no effect on this task: none of the products of its steps has a frozen weight in float32.';

const someKept = (kept: readonly string[], of: number, cosine: number): string =>
  `The forward pass of ${kept.length} of ${of} frozen layers stays in float32, because with all of them in int8, the gradients of the first batch are less similar to float32 (cosine ${cosine.toFixed(3)}) than ${AGREEMENT}: ${list(kept)}.`;

const allKept = (cosine: number): string =>
  `All layers stay in float32, although training.precision is "int8": the gradients of the first batch are less similar to float32 (cosine ${cosine.toFixed(3)}) than ${AGREEMENT}, also with only the backward pass in int8.`;

const list = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
