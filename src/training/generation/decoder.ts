/** Writes one text, a token at a time. */
export interface Decoder {
  /** The texts after which the model is to write next; none once the decoder is done. */
  wanted(): readonly (readonly number[])[];
  /** For each of them, the index of the one before that it continues by a token; at first 0, the prompt. */
  continued(): readonly number[];
  /** @param logits of the token after each of them */
  take(logits: readonly Float32Array[]): void;
  /** The new tokens, without one that ends the text. */
  written(): readonly number[];
}

export interface DecoderOptions {
  prompt: readonly number[];
  maxTokens: number;
  ends: ReadonlySet<number>;
}
