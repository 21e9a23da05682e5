import { DType } from '../../graph/dtype';
import type { HostTensor, HostTensors } from '../../graph/tensor-infos';
import type { CacheInput } from '../../graph/without-past';
import { nameTable } from '../../base/names';

/**
 * The keys and values of texts side by side. All have the same number of slots, and a shorter text's tokens are in the
 * last ones: a window of attention then sees the same tokens as without a cache.
 */
export interface Cache {
  /** float32 [texts, heads, slots, size], by input. */
  tensors: HostTensors;
  slots: number;
  /** The number of slots that each text uses. */
  used: readonly number[];
}

/** A cache in which no slot is used; the values are never seen. */
export function unusedCache(inputs: readonly CacheInput[], texts: number, slots: number): Cache {
  const tensors: HostTensors = nameTable();
  for (const { input, heads, size } of inputs) {
    const dims = [texts, heads, slots, size];
    tensors[input.name] = {
      dtype: DType.float,
      dims,
      data: new Float32Array(dims.reduce((a, b) => a * b, 1)),
    };
  }
  return { tensors, slots, used: new Array<number>(texts).fill(0) };
}

/**
 * A cache of a decoder's outputs for texts padded on the right.
 *
 * @param before slots in front of the texts, which are dropped
 * @param used tokens of each text
 */
export function alignedCache(
  inputs: readonly CacheInput[],
  outputs: HostTensors,
  before: number,
  used: readonly number[],
): Cache {
  const slots = Math.max(...used);
  const isAligned = before === 0 && used.every((n) => n === slots);
  const tensors: HostTensors = nameTable();
  for (const { input, present } of inputs)
    tensors[input.name] = isAligned ? outputs[present] : aligned(outputs[present], before, used, slots);
  return { tensors, slots, used };
}

function aligned(
  { dtype, dims: [texts, heads, given, size], data }: HostTensor,
  before: number,
  used: readonly number[],
  slots: number,
): HostTensor {
  const from = data as Float32Array;
  const to = new Float32Array(texts * heads * slots * size);
  for (let block = 0; block < texts * heads; block++) {
    const length = used[Math.floor(block / heads)];
    const at = (block * given + before) * size;
    to.set(from.subarray(at, at + length * size), ((block + 1) * slots - length) * size);
  }
  return { dtype, dims: [texts, heads, slots, size], data: to };
}

/** The cache with these of its texts, in this order; one text may be taken several times. */
export function chosenTexts(cache: Cache, texts: readonly number[]): Cache {
  const { used, slots } = cache;
  if (texts.length === used.length && texts.every((from, i) => from === i)) return cache;
  const tensors: HostTensors = nameTable();
  for (const [name, { dtype, dims, data }] of Object.entries(cache.tensors)) {
    const from = data as Float32Array;
    const each = from.length / used.length;
    const to = new Float32Array(texts.length * each);
    texts.forEach((text, i) => to.set(from.subarray(text * each, (text + 1) * each), i * each));
    tensors[name] = { dtype, dims: [texts.length, ...dims.slice(1)], data: to };
  }
  return { tensors, slots, used: texts.map((text) => used[text]) };
}
