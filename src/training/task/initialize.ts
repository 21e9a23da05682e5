import { storedTensors, tensorName } from '../../adapters/stored-tensors';
import { layerValues } from '../../adapters/methods/layer-values';
import type { AdapterTensor, LayerValues, Values } from '../../adapters/methods/method';
import type { LayerAdapter } from '../../adapters/targets/select';
import { append } from '../../base/gathered';
import { normal, Stream, uniform } from '../../base/random';
import type { Parameters } from '../../engine/stepper';
import { elementCount } from '../../graph/model';
import { HEAD_BIAS, HEAD_WEIGHT } from '../../tasks/head';

/** Standard deviation of a new head's weight, as in BERT's and RoBERTa's classifiers; its bias starts at zero. */
const HEAD_STD = 0.02;

/**
 * Frozen tensors of adapters in use, by seed and name: nothing changes them, several checks before a run need them, and some
 * take minutes to compute.
 */
const frozenValues = new WeakMap<readonly LayerAdapter[], Map<string, Float32Array>>();

/** Initial values of all adapter tensors; each draws from its own stream, keyed by layer and tensor. */
export function initialAdapters(adapters: readonly LayerAdapter[], seed: number): Map<string, Float32Array> {
  const values = new Map<string, Float32Array>();
  const kept = frozenValues.get(adapters) ?? new Map<string, Float32Array>();
  frozenValues.set(adapters, kept);
  const sharing = new Map<string, LayerValues[]>();
  for (const adapter of adapters)
    for (const t of adapter.tensors) append(sharing, tensorName(adapter, t.name), layerValues(adapter.layer));
  adapters.forEach((adapter, layer) => {
    const base = layerValues(adapter.layer);
    const own: Values = {};
    adapter.tensors.forEach((t, index) => {
      const name = tensorName(adapter, t.name);
      const key = `${seed} ${name}`;
      own[t.name] = values.get(name) ?? kept.get(key) ?? initial(t, index, name);
      values.set(name, own[t.name]);
      if (t.frozen) kept.set(key, own[t.name]);
    });

    function initial(t: AdapterTensor, index: number, name: string): Float32Array {
      const draw = {
        uniform: (i: number) => uniform(seed, Stream.initialization, layer + 1, index, i),
        normal: (i: number) => normal(seed, Stream.initialization, layer + 1, index, i),
      };
      return t.init(draw, elementCount(t.dims), base, { values: own, sharing: sharing.get(name)! });
    }
  });
  return values;
}

/** The names of tensors that are stored with adapters but not trained. */
export const frozenNames = (adapters: readonly LayerAdapter[]): Set<string> =>
  new Set(storedTensors(adapters).flatMap(({ name, tensor }) => (tensor.frozen ? [name] : [])));

export function initialHead(classes: number, hidden: number, seed: number): Map<string, Float32Array> {
  const weight = Float32Array.from(
    { length: classes * hidden },
    (_, i) => normal(seed, Stream.initialization, 0, 0, i) * HEAD_STD,
  );
  return new Map([
    [HEAD_WEIGHT, weight],
    [HEAD_BIAS, new Float32Array(classes)],
  ]);
}

/** Relative to the tensor's own size; for a tensor of zeros, a new head's size. */
const SHARE = 0.1;
const STD = 0.02;

/**
 * Trainable tensors with seeded noise. An untrained adapter's B is 0, and so are the gradients of everything that B
 * multiplies: with such values, a wrong gradient would look right.
 *
 * @param frozen names of tensors that stay as they are
 */
export function perturbed(
  parameters: Parameters,
  seed: number,
  frozen: ReadonlySet<string> = new Set(),
): Map<string, Float32Array> {
  return new Map(
    [...parameters].map(([name, values], nth) => {
      if (frozen.has(name)) return [name, values];
      const size = Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length);
      const std = size > 0 ? SHARE * size : STD;
      return [name, values.map((v, i) => v + std * normal(seed, Stream.verification, nth, i))];
    }),
  );
}
