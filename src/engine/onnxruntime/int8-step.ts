import { join } from 'node:path';
import { append } from '../../base/gathered';
import { bytes } from '../../base/number-text';
import { sizeOf } from '../../graph/file/save';
import { GraphBuilder } from '../../graph/builder';
import { DType } from '../../graph/dtype';
import { type FrozenProduct, frozenProducts, isConvolution } from '../../graph/int8/frozen-products';
import {
  type ExactInputs,
  type SwitchedProducts,
  switchedProducts,
  withInt8Products,
} from '../../graph/int8/int8-products';
import { originalWeights } from '../../graph/int8/original-weights';
import { channelSizes, outlierChannels } from '../../graph/int8/outliers';
import { type Int8Weight, storedWeight, weightKey, writeInt8Weights } from '../../graph/int8/weights-file';
import { type Graph, INTERNAL_IR_VERSION, INTERNAL_OPSET, type Model, type Tensor } from '../../graph/model';
import { encodeModel } from '../../graph/onnx/encode';
import type { HostTensors } from '../stepper';
import { openSession, type SessionOptions } from './session';

export interface Int8Step {
  model: Model;
  /** The parts that stay in float32, and the reasons, in full sentences. */
  warnings: string[];
}

/** The least cosine similarity of each trainable tensor's gradient to that in float32. */
export const AGREEMENT = 0.99;

/**
 * A step's graph with its frozen layers in int8. Until the gradients agree with float32, first convolutions stay in float32, since they
 * round an image as a whole; then the outlier channels of activations are multiplied in float32; then the forward pass of as few layers
 * as possible stays in float32, on the weights before they were rounded, or else the backward pass. Rounding gradients usually costs next to
 * nothing: on the demo's model, all of the error is in the forward pass. If the first eighth of a pass is enough, no search
 * is needed; where the run is too short for one, the whole pass stays in float32.
 *
 * @param step whose products are marked
 * @param folder of the step's graph; the weights in int8 are written there
 * @param judge by default, all layers are in int8
 * @param transposed copies of weights that are stored in int8, or the reason why each step transposes them
 */
export async function int8Step(
  step: Model,
  folder: string,
  options: SessionOptions,
  judge?: Judge,
  transposed: ((values: Tensor) => Tensor) | string = OWN_FILE,
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
  const first = [...products.values()].map(([product]) => product);
  const hasStored = first.some(({ stored }) => stored);
  const largest = await largestIntegers(options, hasStored);
  const weights = writeInt8Weights(
    first.filter(({ stored }) => !stored),
    join(folder, 'weights.int8'),
    largest.weight,
  );
  const copy = typeof transposed === 'function' ? transposed : undefined;
  const told = hasStored && typeof transposed === 'string' ? [`${ONE_COPY} ${transposed}`] : [];
  const originals = judge?.original && originalWeights(judge.original.own);
  for (const product of first)
    if (product.stored) {
      const original = originals?.get(product.layer);
      weights.set(weightKey(product), storedWeight(product, copy?.(product.stored.values), original));
    }
  const inInt8 = ({ kept = new Set<string>(), channels = new Map() }: Choice) =>
    withInt8Products(step, weights, kept, channels, largest.activation);
  if (!judge) return { model: inInt8({}), warnings: told };

  const exact = await whileOpen(judge, judge.original?.model ?? step, (opened) =>
    gradientsOf(judge.original?.gradients ?? judge.gradients, opened),
  );
  const tried = async (choice: Choice): Promise<Tried> => {
    const model = inInt8(choice);
    return { choice, model, cosine: await cosineOf(judge, model, exact) };
  };
  const chosen = ({ model }: Tried, ...warnings: string[]): Int8Step => ({
    model,
    warnings: [...told, ...warnings],
  });
  const everything = await tried({});
  if (everything.cosine >= AGREEMENT) return chosen(everything);

  let best = everything;
  const convolutions = [...products].flatMap(([key, [product]]) => (isConvolution(product) ? [key] : []));
  if (convolutions.length > 0) {
    const found = await tried({ kept: new Set(convolutions) });
    if (!(found.cosine <= everything.cosine)) {
      told.push(convolutionsKept(everything.cosine));
      for (const key of convolutions) weights.delete(key);
      if (found.cosine >= AGREEMENT) return chosen(found);
      best = found;
    }
  }

  const forward = [...layerOf.keys()].filter((key) => weights.has(key));
  const linear = forward.filter((key) => !isConvolution(products.get(key)![0]));
  const outliers = await outlierInputs(step, products, linear, judge);
  if (outliers.size > 0) {
    const found = await tried({ channels: outliers });
    if (found.cosine >= AGREEMENT) return chosen(found);
    if (!(found.cosine <= best.cosine)) best = found;
  }

  const namesOf = (keys: readonly string[]) => keys.map((key) => products.get(key)![0].layer);
  const keeping = (found: Tried, pass: Pass, kept: readonly string[], { length }: readonly string[]) => {
    const originals = originalsRead(kept.map((key) => weights.get(key)!));
    return chosen(found, someKept(pass, namesOf(kept), length, best.cosine) + originals);
  };
  const exactInputs = best.choice.channels ?? new Map();
  const backward = [...weights.keys()].filter((key) => !layerOf.has(key));
  const passes = [['forward', forward] as const, ['backward', backward] as const];
  for (const [pass, keys] of passes) {
    const early = keys.slice(0, Math.floor(keys.length * EARLY));
    if (early.length === 0) continue;
    const found = await tried({ kept: new Set(early), channels: exactInputs });
    if (found.cosine >= AGREEMENT) return keeping(found, pass, early, keys);
  }
  for (const [pass, keys] of passes) {
    const without = await tried({ kept: new Set(keys), channels: exactInputs });
    // The other pass alone is too much.
    if (!(without.cosine >= AGREEMENT)) continue;
    const groupCount = Math.min(GROUPS, (judge.searchSteps ?? Infinity) - BISECTION);
    if (groupCount < FEWEST_GROUPS) return keeping(without, pass, keys, keys);
    const switched = switchedProducts(step, weights, new Set(keys), exactInputs, largest.activation);
    const { groups, first: fewest } = await worstFirst(switched, keys, groupCount, judge, exact);
    for (let n = fewest; n <= groups.length; n++) {
      const kept = groups.slice(0, n).flat();
      const found =
        n === groups.length ? without : await tried({ kept: new Set(kept), channels: exactInputs });
      if (found.cosine >= AGREEMENT) return keeping(found, pass, kept, keys);
    }
  }
  const none = withInt8Products(step, weights, new Set(weights.keys()));
  return { model: none, warnings: [...told, allKept(best.cosine) + originalsRead([...weights.values()])] };
}

/** The products that are not in int8 as they are. */
interface Choice {
  /** By `weightKey`: those that stay in float32. */
  kept?: ReadonlySet<string>;
  /** Those that are multiplied in float32. */
  channels?: ExactInputs;
}

interface Tried {
  choice: Choice;
  model: Model;
  /** The least of its gradients, beside those in float32. */
  cosine: number;
}

const NOTHING =
  'training.precision "int8" has no effect on this task: none of the products of its steps has a frozen weight in float32.';

const OWN_FILE = 'No copy is written beside a file of your own.';

const ONE_COPY =
  'Each step transposes the weights in int8 for its backward pass, which takes longer than reading a transposed copy.';

const convolutionsKept = (cosine: number): string =>
  `Convolutions stay in float32, because with them in int8, the gradients of the first batch are less similar to float32 (cosine ${cosine.toFixed(3)}).`;

type Pass = 'forward' | 'backward';

const someKept = (pass: Pass, kept: readonly string[], of: number, cosine: number): string =>
  `The ${pass} pass of ${kept.length} of ${of} frozen layers stays in float32, because with all of them in int8, the gradients of the first batch are less similar to float32 (cosine ${cosine.toFixed(3)}) than ${AGREEMENT}: ${list(kept)}.`;

const allKept = (cosine: number): string =>
  `All layers stay in float32, although training.precision is "int8": the gradients of the first batch are less similar to float32 (cosine ${cosine.toFixed(3)}) than ${AGREEMENT}, also with only the forward or the backward pass in int8.`;

/** The memory for weights in float32 beside their rounded ones, in a sentence; empty without any. */
function originalsRead(weights: readonly Int8Weight[]): string {
  const read = new Set(weights.flatMap(({ original }) => (original ? [original.weight] : [])));
  if (read.size === 0) return '';
  const size = bytes([...read].reduce((sum, weight) => sum + sizeOf(weight), 0));
  return ` Their original weights take ${size} of memory beside the rounded ones.`;
}

const list = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');

/** Runs graphs on the batch that int8 is judged on; one is open at a time. */
export interface Judge {
  open(model: Model): Promise<Opened>;
  /** The steps that the search for the layers that stay in float32 may take, if they are limited. */
  searchSteps?: number;
  /** The outputs of the step's graph that are gradients, by the name of the trainable tensor. */
  gradients: ReadonlyMap<string, string>;
  /** The step on the weights before they were rounded, if the step's own are. */
  original?: {
    model: Model;
    gradients: ReadonlyMap<string, string>;
    /** The user's graph. */
    own: Graph;
  };
}

export interface Opened {
  /** @param more inputs than those of the batch */
  run(outputs: readonly string[], more?: HostTensors): Promise<HostTensors>;
  dispose(): Promise<void>;
}

/** Opens a graph for as long as something is done with it. */
async function whileOpen<T>(judge: Judge, model: Model, use: (opened: Opened) => Promise<T>): Promise<T> {
  const opened = await judge.open(model);
  try {
    return await use(opened);
  } finally {
    await opened.dispose();
  }
}

async function gradientsOf(
  gradients: Judge['gradients'],
  opened: Opened,
  more?: HostTensors,
): Promise<Gradients> {
  const out = await opened.run([...gradients.values()], more);
  return new Map([...gradients].map(([name, y]) => [name, out[y].data as Float32Array]));
}

/** The least cosine of a step's gradients beside others. */
const cosineOf = (judge: Judge, model: Model, exact: Gradients): Promise<number> =>
  whileOpen(judge, model, async (opened) => leastCosine(exact, await gradientsOf(judge.gradients, opened)));

/**
 * The share of a pass, from its beginning, that is tried in float32 before the search: its rounding passes through all that follows. Of 32
 * layers like Llama's, the first 4 raised the similarity from 0.974 to 0.993, and any other 4 to 0.976 at most. It takes a step, where
 * the search takes up to 20.
 */
const EARLY = 1 / 8;
/** The most groups; each costs a step on the judged batch. */
const GROUPS = 16;
/** The steps after those of the groups: halving the list of groups, and trying the result. */
const BISECTION = 4;
/** With fewer, the search would hardly keep less in float32 than the whole pass. */
const FEWEST_GROUPS = 4;

/**
 * Groups of neighboring layers, in the order in which their forward or backward pass is to stay in float32 until the gradients agree:
 * those first whose rounding alone changes the gradients most. A product's own rounding error does not say that: an early
 * layer's passes through the whole model, and where ReLUs follow, it moves values across their kink.
 *
 * @param weights those of the pass, in the order of its layers
 * @param count the most groups
 * @returns the groups, and how many of them, at first, seem to be enough
 */
async function worstFirst(
  { model, switches }: SwitchedProducts,
  weights: readonly string[],
  count: number,
  judge: Judge,
  exact: Gradients,
): Promise<{ groups: string[][]; first: number }> {
  const size = Math.ceil(weights.length / count);
  const groups = Array.from({ length: Math.ceil(weights.length / size) }, (_, i) =>
    weights.slice(i * size, (i + 1) * size),
  );
  return whileOpen(judge, model, async (opened) => {
    const cosine = async (rounded: ReadonlySet<string>) => {
      const more = Object.fromEntries(
        [...switches].map(([key, input]) => [
          input,
          { dtype: DType.bool, dims: [], data: Uint8Array.of(rounded.has(key) ? 1 : 0) },
        ]),
      );
      // NaN is the worst.
      return leastCosine(exact, await gradientsOf(judge.gradients, opened, more)) || -1;
    };
    const alone = new Map<string[], number>();
    for (const group of groups) alone.set(group, await cosine(new Set(group)));
    const sorted = groups.toSorted((a, b) => alone.get(a)! - alone.get(b)!);
    // Always fewer than all, which the caller has tried.
    let [few, many] = [0, sorted.length];
    while (many - few > 1) {
      const half = (few + many) >> 1;
      if ((await cosine(new Set(sorted.slice(half).flat()))) >= AGREEMENT) many = half;
      else few = half;
    }
    return { groups: sorted, first: many };
  });
}

/**
 * The outlier channels of the activations that forward products read, where they have any.
 *
 * @param products by `weightKey`; several, if layers share a weight
 * @param forward the weights of the forward pass
 */
async function outlierInputs(
  step: Model,
  products: ReadonlyMap<string, readonly FrozenProduct[]>,
  forward: readonly string[],
  judge: Judge,
): Promise<ExactInputs> {
  const inputsOf = (key: string) => products.get(key)!.map(({ node }) => node.inputs[0]);
  const { model, sizes } = channelSizes(step, [...new Set(forward.flatMap(inputsOf))]);
  const out = await whileOpen(judge, model, (opened) => opened.run([...sizes.values()]));
  const found = new Map<string, readonly number[]>();
  for (const key of forward) {
    const all = inputsOf(key).map((x) => out[sizes.get(x)!].data as Float32Array);
    const channels = outlierChannels(all[0].map((_, c) => Math.max(...all.map((size) => size[c]))));
    if (channels.length > 0) found.set(key, channels);
  }
  return found;
}

const SIZE = 64;
/** With them, two products of an unsigned and a signed integer fit into 16 bits: 2 · 255 · 64 < 2^15. */
const SEVEN_BITS = 64;
/** As the largest distance to the zero point of an unsigned integer: 2 · (2 · 63 + 1) · 127 < 2^15. */
const SEVEN_BITS_UNSIGNED = 63;
const EIGHT_BITS = 127;

/**
 * The largest magnitudes of rounded weights and activations on this processor, whose products add up without overflow. Where that
 * takes a bit of one of them, it is the activations' if weights are stored with theirs.
 */
async function largestIntegers(options: SessionOptions, hasStored: boolean) {
  return hasStored
    ? { weight: EIGHT_BITS, activation: await largestActivation(options) }
    : { weight: await largestWeight(options), activation: EIGHT_BITS };
}

/** The largest magnitude of a rounded activation on this processor, beside stored weights of 8 bits. */
export const largestActivation = async (options: SessionOptions): Promise<number> =>
  (await largestWeight(options)) === EIGHT_BITS ? EIGHT_BITS : SEVEN_BITS_UNSIGNED;

/**
 * The largest magnitude of an integer weight on this processor. Without VNNI, Intel's and AMD's add pairs of products
 * in 16 bits, and saturate. Found by a product of the largest numbers, since no runtime reports it.
 */
export async function largestWeight(options: SessionOptions): Promise<number> {
  const graph: Graph = { name: 'saturation', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '/saturation');
  const x = g.addInput('x', DType.uint8, [SIZE, SIZE]);
  const weight = g.constant(DType.int8, [SIZE, SIZE], Array<number>(SIZE * SIZE).fill(EIGHT_BITS));
  const product = g.op('MatMulInteger', [x, weight]);
  g.addOutput(product);
  const model = {
    irVersion: INTERNAL_IR_VERSION,
    producer: 'aurora-lab',
    opsets: new Map([['', INTERNAL_OPSET]]),
    graph,
    metadata: new Map<string, string>(),
  };
  const session = await openSession(encodeModel(model), options);
  try {
    const data = new Uint8Array(SIZE * SIZE).fill(255);
    const out = await session.run({ x: { dtype: DType.uint8, dims: [SIZE, SIZE], data } });
    const exact = Array.from(out[product].data, Number).every((sum) => sum === SIZE * 255 * EIGHT_BITS);
    return exact ? EIGHT_BITS : SEVEN_BITS;
  } finally {
    await session.dispose();
  }
}

/** Gradients by the name of the trainable tensor. */
type Gradients = ReadonlyMap<string, Float32Array>;

/**
 * Tensors with less than this share of the norm of all gradients are not compared: they barely move anything, and those
 * that are 0 but for rounding, such as that of a key's bias, agree with nothing.
 */
const SHARE = 1e-3;

/** The smallest cosine similarity of a tensor's two gradients; 1 without gradients, NaN if one is not finite. */
export function leastCosine(exact: Gradients, rounded: Gradients): number {
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + v * b[i], 0);
  const squares = new Map([...exact].map(([name, g]) => [name, dot(g, g)] as const));
  const whole = [...squares.values()].reduce((a, b) => a + b, 0);
  return [...exact].reduce((least, [name, g]) => {
    const square = squares.get(name)!;
    if (square === 0 || square < SHARE ** 2 * whole) return least;
    const other = rounded.get(name)!;
    return Math.min(least, dot(g, other) / Math.sqrt(square * dot(other, other)));
  }, 1);
}
