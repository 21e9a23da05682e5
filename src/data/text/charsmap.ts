/**
 * The compiled normalization rules of SentencePiece (normalizer.cc): four bytes with the size of a double-array trie of
 * UTF-8 keys (darts-clone), the trie, and the replacements, each ended by a zero byte.
 */
export class CharsMap {
  private constructor(
    private readonly units: Uint32Array,
    private readonly replacements: Uint8Array,
  ) {}

  /** @throws Error if the bytes are not such a map */
  static parse(base64: string): CharsMap {
    const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
    const view = new DataView(bytes.buffer);
    const size = bytes.length < 4 ? 0 : view.getUint32(0, true);
    if (size === 0 || size % 4 !== 0 || 4 + size > bytes.length)
      throw new Error('its precompiled_charsmap is damaged');
    const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
    return new CharsMap(units, bytes.subarray(4 + size));
  }

  /**
   * Replaces the longest key at each place, and passes over a character where there is none, as SentencePiece does.
   * Tokenizers takes the shortest key within a grapheme and drops the rest of it, so that it loses marks that stand
   * apart (huggingface/tokenizers#2116, #2334); the models have been trained with SentencePiece's results.
   */
  normalize(text: string): string {
    const bytes = ENCODER.encode(text);
    let normalized = '';
    let kept = 0;
    for (let at = 0; at < bytes.length;) {
      const found = this.longest(bytes, at);
      if (!found) {
        at += bytesOfCharacter(bytes[at]);
        continue;
      }
      if (kept < at) normalized += DECODER.decode(bytes.subarray(kept, at));
      normalized += this.replacement(found.value);
      at += found.length;
      kept = at;
    }
    return kept === 0 ? text : normalized + DECODER.decode(bytes.subarray(kept));
  }

  private longest(bytes: Uint8Array, start: number): { length: number; value: number } | undefined {
    const { units } = this;
    let found: { length: number; value: number } | undefined;
    let node = offset(units[0]);
    for (let at = start; at < bytes.length; at++) {
      node ^= bytes[at];
      const unit = units[node];
      if (unit === undefined || label(unit) !== bytes[at]) break;
      node ^= offset(unit);
      if (hasLeaf(unit)) found = { length: at - start + 1, value: (units[node] ?? 0) & 0x7fffffff };
    }
    return found;
  }

  private replacement(from: number): string {
    const end = this.replacements.indexOf(0, from);
    return DECODER.decode(this.replacements.subarray(from, end < 0 ? undefined : end));
  }
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

// The units of darts-clone.
const hasLeaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1;
const label = (unit: number): number => (unit & 0x800000ff) >>> 0;
const offset = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

/** The number of bytes of a character in UTF-8, by its first one. */
const bytesOfCharacter = (first: number): number =>
  first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
