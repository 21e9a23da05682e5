import {
  ByteFallbackDecoder,
  type Decoder,
  SequenceDecoder,
  Unigram,
  type Tokenizer as HuggingFaceTokenizer,
} from '@huggingface/tokenizers';

/**
 * Makes a Unigram model treat characters that no piece has as tokenizers' Rust does (models/unigram/model.rs): neighbors within a
 * word are one unknown token, or with `byte_fallback` the tokens of their bytes, as in Helium and Persimmon. The library
 * joins them across words and has no fallback. Changes the tokenizer in place.
 */
export function correctUnigram({ model }: HuggingFaceTokenizer): void {
  if (!(model instanceof Unigram)) return;
  const { byte_fallback } = model.config as { byte_fallback?: unknown };
  const idOf = (piece: string) => model.tokens_to_ids.get(piece) ?? model.unk_token_id;
  const bytesOf = (text: string) => {
    const pieces = Array.from(Buffer.from(text), (byte) => BYTES[byte]!);
    return pieces.every((piece) => model.tokens_to_ids.has(piece)) ? pieces : [text];
  };
  model.fuse_unk = false;
  model.encode = (words) => {
    const all: string[] = [];
    for (const word of words) {
      let unknown = '';
      const flush = () => {
        if (unknown === '') return;
        if (byte_fallback !== true || model.tokens_to_ids.has(unknown)) all.push(unknown);
        else all.push(...bytesOf(unknown));
        unknown = '';
      };
      for (const piece of model.tokenize(word))
        if (idOf(piece) === model.unk_token_id) unknown += piece;
        else {
          flush();
          all.push(piece);
        }
      flush();
    }
    return all;
  };
}

/** The pieces of the 256 bytes. */
const BYTES = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
);

/**
 * Makes the decoder of such pieces keep U+FEFF, which the library takes for a mark of byte order. Bytes that are not UTF-8
 * stay one U+FFFD for each broken sequence: tokenizers' Rust has one for each byte of the whole run, even of the characters
 * before it, so that further tokens would change a text that has been shown. Changes the decoder in place.
 */
export function correctByteFallback(decoder: Decoder | null): void {
  if (decoder instanceof SequenceDecoder) decoder.decoders.forEach(correctByteFallback);
  else if (decoder instanceof ByteFallbackDecoder)
    decoder.text_decoder = new TextDecoder('utf-8', { ignoreBOM: true });
}
