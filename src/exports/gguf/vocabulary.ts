import { AuroraError } from '../../base/errors';
import { chatTemplateSource } from '../../data/text/chat';
import { content, isTokenId } from '../../data/text/special-tokens';
import { loadTokenizer } from '../../data/text/tokenizer';
import { type Json, readTokenizerFiles, type TokenizerFiles } from '../../data/text/tokenizer-files';
import { bool, type MetadataValue, string, uint32 } from './gguf-file';
import { pieceScores } from './piece-scores';
import { tokenizerKind } from './tokenizer-kind';

/** Types of tokens (llama_token_type). */
const TYPES = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** A tokenizer in the form of a GGUF file. */
export interface GgufVocabulary {
  /** The entries tokenizer.… */
  metadata: [key: string, value: MetadataValue][];
  /** All tokens, by id. */
  tokens: readonly string[];
}

interface AddedToken {
  id: number;
  content: string;
  special?: boolean;
}

/**
 * The tokenizer of a model under the keys that llama.cpp reads (set_vocab in convert_hf_to_gguf.py).
 *
 * @param path of tokenizer.json
 * @param rows of the embedding: ids without a token get a name that no text has
 * @throws AuroraError 'tokenizer' if llama.cpp has none that does the same
 */
export function ggufVocabulary(path: string, rows: number): GgufVocabulary {
  const files = readTokenizerFiles(path);
  const kind = tokenizerKind(path, files);
  const { tokens, types } = tokensOf(files, rows);
  const merges = mergesOf(files.tokenizer.model);
  const ids = specialIds(files, tokens);
  const chatTemplate = chatTemplateSource(files);
  const metadata: GgufVocabulary['metadata'] = [
    ['tokenizer.ggml.model', string(kind.model)],
    ['tokenizer.ggml.pre', string(kind.pre)],
    ['tokenizer.ggml.tokens', { type: 'strings', value: tokens }],
    ['tokenizer.ggml.token_type', { type: 'int32s', value: types }],
  ];
  if (kind.model === 'llama') {
    const isPiece = (id: number) => types[id] === TYPES.normal;
    const scores = pieceScores(path, tokens, isPiece, merges);
    metadata.push(['tokenizer.ggml.scores', { type: 'float32s', value: scores }]);
    metadata.push(['tokenizer.ggml.add_space_prefix', bool(kind.addsSpace)]);
  } else
    metadata.push([
      'tokenizer.ggml.merges',
      { type: 'strings', value: merges.map((pair) => pair.join(' ')) },
    ]);
  metadata.push(
    ...Object.entries(ids).map(
      ([name, id]) => [`tokenizer.ggml.${name}_token_id`, uint32(id)] as [string, MetadataValue],
    ),
    ...aroundTexts(path, ids),
  );
  if (chatTemplate !== undefined) metadata.push(['tokenizer.chat_template', string(chatTemplate)]);
  return { metadata, tokens };
}

const BYTE = /^<0x[0-9A-F]{2}>$/;

/**
 * Tokens beyond the embedding have no row, such as Gemma 3's <image_soft_token> in a model of texts alone, and are left
 * out (get_vocab_base and _create_vocab_sentencepiece in convert_hf_to_gguf.py).
 */
function tokensOf({ tokenizer }: TokenizerFiles, rows: number): { tokens: string[]; types: number[] } {
  const { model, added_tokens: added } = tokenizer as { model: Json; added_tokens?: AddedToken[] };
  const tokens = new Array<string>(rows);
  const types = new Array<number>(rows).fill(TYPES.unused);
  const isSentencePiece = model.byte_fallback === true;
  for (const [token, id] of Object.entries(model.vocab as Record<string, number>)) {
    if (id >= rows) continue;
    const isByte = isSentencePiece && BYTE.test(token);
    // Gemma's files name a tab beside the byte that it is.
    if (types[id] === TYPES.byte && !isByte) continue;
    tokens[id] = token;
    types[id] = isByte ? TYPES.byte : TYPES.normal;
    if (token === content(model.unk_token)) types[id] = TYPES.unknown;
  }
  for (const { id, content: token, special } of added ?? []) {
    if (id >= rows || types[id] === TYPES.unknown) continue;
    const isControl = special === true || looksSpecial(token);
    // llama.cpp looks for them in the text before spaces become marks.
    tokens[id] = isControl || !isSentencePiece ? token : token.replaceAll('▁', ' ');
    types[id] = isControl ? TYPES.control : TYPES.userDefined;
  }
  const taken = new Set(tokens);
  for (let id = 0; id < rows; id++)
    if (tokens[id] === undefined) {
      let name = `[PAD${id}]`;
      while (taken.has(name)) name = `[${name}]`;
      tokens[id] = name;
    }
  return { tokens, types };
}

/** Tokens that some files do not mark as special, although no text should have them (convert_hf_to_gguf.py). */
const looksSpecial = (token: string): boolean =>
  token === '<pad>' || token === '<mask>' || /^<\|.*\|>$/.test(token) || /^<unused\d*>$/.test(token);

function mergesOf(model: Json): [string, string][] {
  return (model.merges as (string | [string, string])[]).map((merge) => {
    if (typeof merge !== 'string') return merge;
    const space = merge.indexOf(' ');
    return [merge.slice(0, space), merge.slice(space + 1)];
  });
}

/** Roles of tokens, with the names that they have in the file and in transformers' files. */
const ROLES = [
  ['bos', 'bos'],
  ['eos', 'eos'],
  ['unknown', 'unk'],
  ['padding', 'pad'],
] as const;

type Ids = Partial<Record<(typeof ROLES)[number][0], number>>;

/** As tokenizer_config.json names them, otherwise config.json; of several ids, the first. */
function specialIds(
  { tokenizer, tokenizerConfig, modelConfig }: TokenizerFiles,
  tokens: readonly string[],
): Ids {
  return Object.fromEntries(
    ROLES.flatMap(([name, role]) => {
      const text = content(
        tokenizerConfig[`${role}_token`] ?? (role === 'unk' ? tokenizer.model.unk_token : undefined),
      );
      const named = text === undefined ? -1 : tokens.indexOf(text);
      const id = named >= 0 ? named : [modelConfig[`${role}_token_id`]].flat()[0];
      return isTokenId(id) && id < tokens.length ? [[name, id]] : [];
    }),
  );
}

/** Flags for the tokens that the tokenizer itself puts around a text. */
function aroundTexts(path: string, { bos, eos }: Ids): [string, MetadataValue][] {
  const { before, after } = loadTokenizer(path).special(64);
  const isOnly = (tokens: readonly { id: number }[], id: number | undefined) =>
    tokens.length === 0 || (tokens.length === 1 && tokens[0].id === id);
  if (!isOnly(before, bos) || !isOnly(after, eos))
    throw new AuroraError(
      'tokenizer',
      `${path} puts other tokens around a text than that for its beginning (bos_token) and its end (eos_token), which is all that GGUF files hold.`,
      'Export with --as safetensors.',
    );
  return [
    ['tokenizer.ggml.add_bos_token', bool(before.length > 0)],
    ['tokenizer.ggml.add_eos_token', bool(after.length > 0)],
  ];
}
