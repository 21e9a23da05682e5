import type { Example } from '../../data/dataset';
import type { Writing } from '../../tasks/kind';
import { beamSearch } from './beam-search';
import type { CachedModel, NewToken } from './cached-model';
import type { Decoder } from './decoder';
import { greedy } from './greedy';

/** The logits of the token after each text. */
export type Next = (texts: readonly Example[]) => Promise<Float32Array[]>;

/** The new tokens of each text. */
export type Written = (readonly number[])[];

const decoderOf = (writing: Writing): Decoder =>
  writing.beams === 1 ? greedy(writing) : beamSearch(writing);

/**
 * Writes several texts side by side. Each step runs the model on whole texts: without a cache of keys and values.
 *
 * @param batchSize texts that the model is run on at once
 */
export async function write(writings: readonly Writing[], batchSize: number, next: Next): Promise<Written> {
  const decoders = writings.map(decoderOf);
  for (;;) {
    const wanted = decoders.map((decoder, i) => decoder.wanted().map((ids) => writings[i].example(ids)));
    const texts = wanted.flat();
    if (texts.length === 0) return decoders.map((decoder) => decoder.written());
    const logits: Float32Array[] = [];
    for (let at = 0; at < texts.length; at += batchSize)
      logits.push(...(await next(texts.slice(at, at + batchSize))));
    give(decoders, wanted, logits);
  }
}

/**
 * Writes several texts with a cache: after the prompts, each step runs the model on one token of each text, of all
 * texts at once.
 */
export async function writeCached(writings: readonly Writing[], model: CachedModel): Promise<Written> {
  const decoders = writings.map(decoderOf);
  let cache = await model.read(writings.map(({ prompt }) => prompt.slice(0, -1)));
  /** The places of each decoder's texts in the cache. */
  let places = decoders.map((_, i) => i);
  for (;;) {
    const wanted = decoders.map((decoder) => decoder.wanted());
    const tokens = wanted.flatMap((texts, i) => {
      const continued = decoders[i].continued();
      return texts.map((ids, k): NewToken => ({ text: places[i] + continued[k], token: ids.at(-1)! }));
    });
    if (tokens.length === 0) return decoders.map((decoder) => decoder.written());
    const found = await model.next(cache, tokens);
    cache = found.cache;
    let at = 0;
    places = wanted.map((texts) => (at += texts.length) - texts.length);
    give(decoders, wanted, found.logits);
  }
}

/** Gives each decoder the logits of its texts. */
function give(
  decoders: readonly Decoder[],
  wanted: readonly (readonly unknown[])[],
  logits: readonly Float32Array[],
): void {
  let at = 0;
  decoders.forEach((decoder, i) => {
    const own = logits.slice(at, (at += wanted[i].length));
    if (own.length > 0) decoder.take(own);
  });
}
