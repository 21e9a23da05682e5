import type { AddedToken, Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';

/** The library's parts that find added tokens in a text, which its types hide. */
interface Parts {
  splitter_unnormalized: Splitter;
  splitter_normalized: Splitter;
  added_tokens_map: ReadonlyMap<string, AddedToken>;
}

interface Splitter {
  /** Added tokens and the texts between them. */
  split(text: string): string[];
}

/**
 * Makes added tokens strip the white space before them (`lstrip`) and after them (`rstrip`) that tokenizers' Rust does: with
 * U+0085 and without U+FEFF, which JavaScript's has the other way round. Changes the tokenizer in place.
 */
export function correctAddedTokens(tokenizer: HuggingFaceTokenizer): void {
  const parts = tokenizer as unknown as Parts;
  const [left, right] = [new Set<AddedToken>(), new Set<AddedToken>()];
  for (const token of parts.added_tokens_map.values()) {
    if (token.lstrip) left.add(token);
    if (token.rstrip) right.add(token);
    // The library would strip once more.
    token.lstrip = token.rstrip = false;
  }
  if (left.size + right.size === 0) return;
  for (const splitter of [parts.splitter_unnormalized, parts.splitter_normalized]) {
    const split = splitter.split.bind(splitter);
    splitter.split = (text) => {
      const sections = split(text);
      for (const [i, section] of sections.entries()) {
        const token = parts.added_tokens_map.get(section);
        if (!token) continue;
        if (i > 0 && left.has(token)) sections[i - 1] = trimEnd(sections[i - 1]!);
        if (i < sections.length - 1 && right.has(token)) sections[i + 1] = trimStart(sections[i + 1]!);
      }
      return sections;
    };
  }
}

const trimStart = (text: string): string => text.replace(/^\p{White_Space}+/u, '');

const trimEnd = (text: string): string => text.replace(/(?<!\p{White_Space})\p{White_Space}+$/u, '');
