import type { Example } from '../data/dataset';
import type { PlayVariant } from '../protocol/play-question';
import { IGNORE_LABEL } from '../tasks/objective';
import type { LanguageText } from '../tasks/text/language-text';
import type { TextData } from '../tasks/text/text-data';
import type { Trained } from '../training/checkpoint/trained-run';
import { requireFinite } from '../training/task/finite-output';
import { endTokens, longestText, readModelFiles } from './model-files';
import { factsOf } from './run-facts';
import type { LanguageModel } from './subject';

/** The model's logits for an example, padded to `length`. */
export type Evaluate = (
  example: Example,
  variant: PlayVariant,
  length?: number,
) => Promise<{ logits: Float32Array; seconds: number }>;

/** The loss of one token has no next token, and the engine cannot compute it. */
const SHORTEST = 2;

/** A run of a language model, which continues a text or answers in a conversation. */
export async function languageModel(
  trained: Trained,
  evaluate: Evaluate,
): Promise<Omit<LanguageModel, 'variants' | 'sample' | 'dispose'>> {
  const { data, spec } = trained.task;
  // Only kinds that read texts write them.
  const { tokenizer } = data as TextData<LanguageText>;
  const files = readModelFiles(spec.model.path, spec.model.tokenizer);
  const facts = factsOf(trained);
  const longest = longestText(files);
  const next = async (ids: readonly number[], variant: PlayVariant) => {
    const targets = new Int32Array(ids.length).fill(IGNORE_LABEL);
    const example: LanguageText = { size: ids.length, ids: Int32Array.from(ids), targets, row: 0 };
    const length = Math.max(SHORTEST, ids.length);
    const { logits, seconds } = await evaluate(example, variant, length);
    const vocabulary = logits.length / length;
    const last = logits.subarray((ids.length - 1) * vocabulary, ids.length * vocabulary);
    requireFinite(last);
    return { logits: last.subarray(0, tokenizer.vocabSize), seconds };
  };
  await next(tokenizer.encode('a a', Infinity).ids, 'adapted');
  const isChat = facts.input === 'chat';
  return {
    facts,
    encode(text) {
      if (isChat && tokenizer.chat)
        return tokenizer.encodeBare(tokenizer.chat([{ role: 'user', content: text }], true).text);
      const { ids } = tokenizer.encode(text, Infinity);
      return ids.at(-1) === tokenizer.endId ? ids.slice(0, -1) : ids;
    },
    decode: tokenizer.decode,
    next,
    ends: endTokens(files, tokenizer),
    longest,
  };
}
