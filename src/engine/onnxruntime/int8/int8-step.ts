import { join } from 'node:path';
import { frozenProducts } from '../../../graph/int8/frozen-products';
import { withInt8Products } from '../../../graph/int8/int8-products';
import { roundingErrors } from '../../../graph/int8/rounding-errors';
import { writeInt8Weights } from '../../../graph/int8/weights-file';
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
/** Shares of the layers that stay in float32, those with the largest rounding errors first, until the rest agrees. */
const SHARES = [0, 1 / 8, 1 / 4, 1 / 2, 3 / 4];

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
  const layers = [...new Set(products.map((p) => p.layer))];
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
    if (tried.length === 1) worstFirst = await byError(roundingErrors(step, weights), judge);
    const kept = worstFirst.slice(0, Math.ceil(share * layers.length));
    const model = withInt8Products(step, weights, new Set(kept));
    const cosine = leastCosine(exact, await gradientsOf(model));
    if (cosine >= AGREEMENT)
      return { model, warnings: kept.length ? [someKept(kept, layers.length, tried[0])] : [] };
    tried.push(cosine);
  }
  return { model: step, warnings: [allKept(tried[0])] };
}

/** Layers by their largest error, in descending order. */
async function byError(
  { model, errors }: ReturnType<typeof roundingErrors>,
  judge: Judge,
): Promise<string[]> {
  const out = await judge.run(model, [...errors.values()].flat());
  const largest = new Map(
    [...errors].map(([layer, names]) => [layer, Math.max(...names.map((n) => Number(out[n].data[0])))]),
  );
  // A product without an error, because it is 0 or not finite, must not be an obstacle to sorting.
  const of = (layer: string) => largest.get(layer)! || 0;
  return [...largest.keys()].sort((a, b) => of(b) - of(a));
}

const NOTHING =
  'training.precision "int8" has no effect on this task: none of the products of its steps has a frozen weight in float32.';

const someKept = (kept: readonly string[], of: number, cosine: number): string =>
  `${kept.length} of ${of} frozen layers stay in float32, because with all of them in int8, the gradients of the first batch are less similar to float32 (cosine ${cosine.toFixed(3)}) than ${AGREEMENT}: ${list(kept)}.`;

const allKept = (cosine: number): string =>
  `All layers stay in float32, although training.precision is "int8": the gradients of the first batch are less similar to float32 (cosine ${cosine.toFixed(3)}) than ${AGREEMENT}, also with only a quarter of the layers in int8.`;

const list = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
