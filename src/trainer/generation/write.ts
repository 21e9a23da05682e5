import type { Example } from '../../data/dataset';
import type { Writing } from '../../tasks/writing';
import { beamSearch } from './beam-search';
import type { Decoder } from './decoder';
import { greedy } from './greedy';

/** The logits of the token after each text. */
export type Next = (texts: readonly Example[]) => Promise<Float32Array[]>;

/**
 * Writes several texts side by side. Each step runs the model on whole texts: there is no cache of keys and values.
 *
 * @param batchSize texts that the model is run on at once
 * @returns the new tokens of each
 */
export async function write(
  writings: readonly Writing[],
  batchSize: number,
  next: Next,
): Promise<(readonly number[])[]> {
  const decoders = writings.map((writing): Decoder =>
    writing.beams === 1 ? greedy(writing) : beamSearch(writing),
  );
  for (;;) {
    const wanted = decoders.map((decoder, i) => decoder.wanted().map((ids) => writings[i].example(ids)));
    const texts = wanted.flat();
    if (texts.length === 0) return decoders.map((decoder) => decoder.written());
    const logits: Float32Array[] = [];
    for (let at = 0; at < texts.length; at += batchSize)
      logits.push(...(await next(texts.slice(at, at + batchSize))));
    let at = 0;
    decoders.forEach((decoder, i) => {
      const own = logits.slice(at, (at += wanted[i].length));
      if (own.length > 0) decoder.take(own);
    });
  }
}
