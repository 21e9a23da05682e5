import type { PackageFiles } from './tfjs-weights';
import { packageFile } from './tfjs-weights';

/** A piece and its log probability. */
type Piece = [string, number];

/** The first six entries are not pieces: unknown, sentence marks, and three reserved ones. */
const RESERVED = 6;

/** SentencePiece's space character. */
const SPACE = '\u2581';

/**
 * SentencePiece's unigram vocabulary as a tokenizer.json. Adds no special tokens, since the model was trained without
 * them.
 * @param path vocab.json's path in the package
 */
export function useLiteTokenizer(files: PackageFiles, path: string): object {
  const pieces = JSON.parse(Buffer.from(packageFile(files, path)).toString()) as Piece[];
  pieces[0] = ['<unk>', 0];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: pieces.slice(0, RESERVED).map(([content], id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'Sequence',
      // A Metaspace pre-tokenizer would mark a text's start only if there is no leading space.
      normalizers: [
        { type: 'NFKC' },
        { type: 'Prepend', prepend: SPACE },
        { type: 'Replace', pattern: { String: ' ' }, content: SPACE },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: 'Metaspace', replacement: SPACE, add_prefix_space: true, prepend_scheme: 'always' },
    model: { type: 'Unigram', unk_id: 0, vocab: pieces, byte_fallback: false },
  };
}
