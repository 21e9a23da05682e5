import { isFloat } from '../dtype';
import type { Graph, ValueInfo } from '../model';

/** A tensor of a decoder's key/value cache, as Optimum and transformers.js name its input and output. */
export interface CacheInput {
  /** float [batch, heads, earlier tokens, size], one for the keys and one for the values of each layer. */
  input: ValueInfo;
  /** The output with the new tokens at the end: [batch, heads, earlier and new tokens, size]. */
  present: string;
  heads: number;
  size: number;
}

/** The number of the last tokens that get logits; 0 stands for all. */
const KEPT_LOGITS = ['num_logits_to_keep', 'logits_to_keep'];
/** Chooses between the two decoders of a merged file. */
export const USE_CACHE = 'use_cache_branch';

/** The cache of a decoder; empty for any other model, also for those with a cross-attention cache. */
export function cacheInputs({ inputs, outputs }: Graph): CacheInput[] {
  const given = new Set(outputs.map((o) => o.name));
  const found = inputs.flatMap((input): CacheInput[] => {
    const [, place] = /^past_key_values\.(\d+\.(?:key|value))$/.exec(input.name) ?? [];
    const [, heads, , size] = input.shape ?? [];
    const present = `present.${place}`;
    const fits = place !== undefined && given.has(present) && input.shape?.length === 4;
    if (!fits || !isFloat(input.dtype) || typeof heads !== 'number' || typeof size !== 'number') return [];
    return [{ input, present, heads, size }];
  });
  // Another form among them cannot be left empty.
  return found.length === inputs.filter((i) => i.name.startsWith('past')).length ? found : [];
}

export const keptLogitsInput = ({ inputs }: Graph): ValueInfo | undefined =>
  inputs.find((i) => KEPT_LOGITS.includes(i.name));
