import { nameTable } from '../../base/names';
import { integers } from '../../data/batch';
import type { Executable } from '../../engine/stepper';
import { DType } from '../../graph/dtype';
import type { HostTensor, HostTensors } from '../../graph/tensor-infos';
import type { CacheInput } from '../../graph/without-past';
import type { DecoderGraphs } from '../../tasks/decoder-graphs';

/** A new token, and the text that it continues, by its index in the cache. */
export interface NewToken {
  text: number;
  token: number;
}

/** Its graphs, ready to run; `first` only of a file with two decoders. */
export interface Sessions {
  next: Executable;
  first?: Executable;
}

type At = (text: number, place: number) => number;

/** A decoder that reads each token once and keeps its keys and values. */
export class CachedModel {
  constructor(
    private readonly graphs: DecoderGraphs,
    private readonly sessions: Sessions,
    /** The adapters' tensors. */
    private readonly trained: HostTensors,
    private readonly padId: number,
  ) {}

  /**
   * Reads the beginning of texts side by side. Without masks they must be equally long.
   *
   * @param texts their tokens; may be empty
   */
  async read(texts: readonly (readonly number[])[]): Promise<Cache> {
    const { cache, masks } = this.graphs;
    const used = texts.map((ids) => ids.length);
    const length = Math.max(...used);
    // Not every device has tensors without elements: one slot that no token sees.
    const empty = unusedCache(cache, texts.length, masks ? 1 : 0);
    if (length === 0) return empty;
    const { first, next } = this.sessions;
    const before = first ? 0 : empty.slots;
    const own = this.feeds(texts.length, length, before, {
      ids: (text, place) => texts[text][place] ?? this.padId,
      // Attention to nothing at all is not a number in some models: an empty text has one token here, and none later.
      mask: (text, place) => (place < Math.max(1, used[text]) ? 1 : 0),
      position: (_, place) => place,
      before: () => 0,
    });
    const names = cache.map((c) => c.present);
    const outputs = first
      ? await first.run({ ...this.trained, ...own }, names)
      : await next.run({ ...this.trained, ...own, ...empty.tensors }, names);
    return alignedCache(cache, outputs, before, used);
  }

  /** @returns the logits after each token, and the cache with them, in their order */
  async next(cache: Cache, tokens: readonly NewToken[]): Promise<{ logits: Float32Array[]; cache: Cache }> {
    const { cache: inputs, logits } = this.graphs;
    const texts = tokens.map(({ text }) => text);
    const { tensors, slots, used } = chosenTexts(cache, texts);
    const own = this.feeds(tokens.length, 1, slots, {
      ids: (text) => tokens[text].token,
      mask: () => 1,
      position: (text) => used[text],
      before: (text, place) => (place < slots - used[text] ? 0 : 1),
    });
    const out = await this.sessions.next.run({ ...this.trained, ...own, ...tensors });
    const all = out[logits].data as Float32Array;
    const vocabulary = out[logits].dims.at(-1)!;
    const grown: HostTensors = nameTable(inputs.map((c) => [c.input.name, out[c.present]] as const));
    return {
      // A copy: as a view, it would keep all of them in memory.
      logits: tokens.map((_, i) => all.slice(i * vocabulary, (i + 1) * vocabulary)),
      cache: { tensors: grown, slots: slots + 1, used: used.map((n) => n + 1) },
    };
  }

  /** The inputs besides the cache. @param past slots of the cache; `before` marks the visible ones */
  private feeds(
    texts: number,
    length: number,
    past: number,
    { ids, mask, position, before }: { ids: At; mask: At; position: At; before: At },
  ): HostTensors {
    const values: Record<string, { length: number; at: At }> = {
      input_ids: { length, at: ids },
      attention_mask: {
        length: past + length,
        at: (text, place) => (place < past ? before(text, place) : mask(text, place - past)),
      },
      position_ids: { length, at: position },
      token_type_ids: { length, at: () => 0 },
    };
    return nameTable(
      this.graphs.inputs.map(({ name, dtype }) => {
        const { length: columns, at } = values[name];
        const data = new Int32Array(texts * columns);
        for (let i = 0; i < data.length; i++) data[i] = at(Math.floor(i / columns), i % columns);
        return [name, integers(dtype, [texts, columns], data)] as const;
      }),
    );
  }
}

/**
 * The keys and values of texts side by side. All have the same number of slots, and a shorter text's tokens are in the
 * last ones: a window of attention then sees the same tokens as without a cache.
 */
interface Cache {
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
function alignedCache(
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
function chosenTexts(cache: Cache, texts: readonly number[]): Cache {
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
