/** The parts of a tokenizer.json. */
export type TokenizerJson = Record<string, unknown> & { model: Record<string, unknown> };

/** An entry of `added_tokens`, found in texts as it is. */
export const special = (content: string, id: number) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

export const token = (id: string, type_id = 0) => ({ SpecialToken: { id, type_id } });
export const text = (id: 'A' | 'B', type_id = 0) => ({ Sequence: { id, type_id } });

/** The template of one text and of two, and the ids of its special tokens. */
export const template = (ids: Record<string, number>, single: object[], pair: object[]) => ({
  type: 'TemplateProcessing',
  single,
  pair,
  special_tokens: Object.fromEntries(
    Object.entries(ids).map(([id, number]) => [id, { id, ids: [number], tokens: [id] }]),
  ),
});

/** As pre-tokenizer it splits words as GPT-2 does; as post-processor it adds nothing. */
export const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };

export const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };

export const bpe = (vocab: Record<string, number>, merges: string[], ignore_merges: boolean) => ({
  type: 'BPE',
  dropout: null,
  unk_token: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
  ignore_merges,
  vocab,
  merges,
});
