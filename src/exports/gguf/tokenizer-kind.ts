import { AuroraError } from '../../base/errors';
import type { Json, TokenizerFiles } from '../../data/text/tokenizer-files';

/** A tokenizer's algorithm in llama.cpp. */
export type TokenizerKind =
  /** Byte-level BPE; `pre` names the way in which llama.cpp divides words. */
  | { model: 'gpt2'; pre: string }
  /** SentencePiece's BPE, where a space is ▁ and bytes stand for unknown characters. */
  | { model: 'llama'; pre: 'default'; addsSpace: boolean };

/** A way to divide a text into words before byte-level BPE, as llama.cpp has it. */
interface WordPattern {
  /** tokenizer.ggml.pre. */
  pre: string;
  /** llama.cpp takes a word that is a token as it is (ignore_merges). */
  wholeWords?: true;
}

const LLAMA3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Patterns of tokenizers' Split, which byte-level BPE without a pattern follows; the names are llama-vocab.cpp's. */
const PATTERNS: ReadonlyMap<unknown, WordPattern> = new Map([
  [LLAMA3, { pre: 'llama-bpe', wholeWords: true }],
  [LLAMA3.replace('\\p{N}{1,3}', '\\p{N}'), { pre: 'qwen2' }],
]);

/** Byte-level BPE with GPT-2's pattern, alone and after single digits. */
const GPT2: WordPattern = { pre: 'gpt-2' };
const DIGITS: WordPattern = { pre: 'smollm' };

/** Adopted by llama.cpp's converter too, although llama.cpp itself does not normalize: decomposed accents differ. */
const NORMALIZED = 'qwen2';

/**
 * The algorithm of a tokenizer.json in llama.cpp, recognized by its own sections.
 *
 * @throws AuroraError 'tokenizer' if llama.cpp has none that does the same
 */
export function tokenizerKind(path: string, { tokenizer }: TokenizerFiles): TokenizerKind {
  const { model, normalizer = null, pre_tokenizer: words = null } = tokenizer;
  const refused = (what: string) =>
    new AuroraError(
      'tokenizer',
      `${path}: ${what}, which is not one that GGUF files can name for llama.cpp.`,
      'Export with --as safetensors, and convert that with a newer convert_hf_to_gguf.py of llama.cpp, which knows more tokenizers.',
    );
  if ((model.type ?? 'BPE') !== 'BPE' || !Array.isArray(model.merges))
    throw refused(`its model is ${JSON.stringify(model.type)}`);
  if (model.byte_fallback === true) {
    const addsSpace = spaceBefore(normalizer as Json | null, words as Json | null);
    if (addsSpace === undefined) throw refused('its normalizer and pre-tokenizer are unknown');
    return { model: 'llama', pre: 'default', addsSpace };
  }
  const pattern = patternOf(words as Json | null);
  if (!pattern) throw refused(`its pre-tokenizer is unknown: ${shortened(words)}`);
  const isPlain = normalizer === null || (typeIs(normalizer as Json, 'NFC') && pattern.pre === NORMALIZED);
  if (!isPlain) throw refused(`its normalizer is ${shortened(normalizer)}`);
  if (model.continuing_subword_prefix || model.end_of_word_suffix)
    throw refused('its pieces have a prefix or a suffix');
  if ((model.ignore_merges === true) !== (pattern.wholeWords === true))
    throw refused(
      `its ignore_merges is ${String(model.ignore_merges ?? false)} with the words of ${pattern.pre}`,
    );
  return { model: 'gpt2', pre: pattern.pre };
}

const shortened = (section: unknown): string => {
  const text = JSON.stringify(section);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
};

const typeIs = (section: Json | null | undefined, type: string): boolean => section?.type === type;

/** The parts of a Sequence; any other section is its only part. */
function partsOf(section: Json | null): Json[] {
  if (section === null) return [];
  if (!typeIs(section, 'Sequence')) return [section];
  return (section.normalizers ?? section.pretokenizers ?? []) as Json[];
}

function patternOf(section: Json | null): WordPattern | undefined {
  const [first, second, ...more] = partsOf(section);
  if (more.length > 0) return undefined;
  if (second === undefined) return isByteLevel(first, true) ? GPT2 : undefined;
  if (typeIs(first, 'Digits'))
    return first.individual_digits === true && isByteLevel(second, true) ? DIGITS : undefined;
  if (!isSplit(first, 'Isolated') || !isByteLevel(second, false)) return undefined;
  return PATTERNS.get((first.pattern as Json).Regex);
}

const isByteLevel = (section: Json | undefined, splits: boolean): boolean =>
  typeIs(section, 'ByteLevel') &&
  section!.add_prefix_space !== true &&
  (section!.use_regex !== false) === splits;

const isSplit = (section: Json, behavior: string): boolean =>
  typeIs(section, 'Split') && section.behavior === behavior && section.invert !== true;

const MARK = '▁';

/** True if SentencePiece puts a space before a text; undefined if the sections do something else. */
function spaceBefore(normalizer: Json | null, words: Json | null): boolean | undefined {
  const steps = partsOf(normalizer);
  if (steps.length === 0) return metaspace(words);
  const [first, second] = steps;
  const prepends = typeIs(first, 'Prepend') && first.prepend === MARK;
  const replaces = prepends ? second : first;
  if (steps.length > (prepends ? 2 : 1) || !isSpaceMark(replaces)) return undefined;
  // Gemma's: no space is left to divide at.
  const divides =
    words === null || (isSplit(words, 'MergedWithPrevious') && (words.pattern as Json).String === ' ');
  return divides ? prepends : undefined;
}

const isSpaceMark = (section: Json | undefined): boolean =>
  typeIs(section, 'Replace') && (section!.pattern as Json).String === ' ' && section!.content === MARK;

function metaspace(section: Json | null): boolean | undefined {
  if (!typeIs(section, 'Metaspace') || section!.replacement !== MARK || section!.split !== false)
    return undefined;
  return section!.prepend_scheme !== 'never';
}
