import { AuroraError } from '../../base/errors';
import type { TextExample } from '../../data/dataset';
import type { ChatMessage } from '../../data/text/chat';
import type { LanguageRow } from '../../data/table/language-rows';
import type { Tokenizer } from '../../data/text/tokenizer';
import { assistantSpans } from './assistant-spans';
import { IGNORE_LABEL } from '../objective';

/** A text with the tokens that are to be predicted. */
export interface LanguageText extends TextExample {
  /** A target for each of `ids`: the token itself, or IGNORE_LABEL where it does not count. */
  targets: Int32Array;
}

export interface LanguageOptions {
  maxLength: number;
  /** Only completions and the assistant's messages count, or prompts and all messages too. */
  lossOn: 'answers' | 'everything';
}

/** @returns an example of size 0 if none of its tokens is to be predicted */
export function languageText(
  tokenizer: Tokenizer,
  row: LanguageRow,
  { maxLength, lossOn }: LanguageOptions,
  index: number,
): LanguageText {
  const { ids, counts } = countedTokens(tokenizer, row, maxLength + 1, lossOn === 'everything');
  const kept = Int32Array.from(ids.slice(0, maxLength));
  const targets = kept.map((id, i) => (i > 0 && (lossOn === 'everything' || counts[i]) ? id : IGNORE_LABEL));
  const truncated = ids.length > maxLength;
  const size = targets.some((t) => t !== IGNORE_LABEL) ? kept.length : 0;
  return { size, ids: kept, targets, row: index, ...(truncated && { truncated }) };
}

interface Counted {
  ids: number[];
  /** True for each token that is part of an answer. */
  counts: boolean[];
}

/**
 * @param length tokens needed at most; for conversations, all are made
 * @param everything true if all tokens count
 */
export const countedTokens = (
  tokenizer: Tokenizer,
  { text, completion, messages }: Pick<LanguageRow, 'text' | 'completion' | 'messages'>,
  length: number,
  everything = false,
): Counted =>
  messages ? chatTokens(tokenizer, messages, everything) : promptTokens(tokenizer, text, completion, length);

/**
 * A text that ends, so that the model learns to end it; without a completion, all of it is an answer.
 *
 * @param length tokens that are needed at most
 */
function promptTokens(
  tokenizer: Tokenizer,
  text: string,
  completion: string | undefined,
  length: number,
): Counted {
  const ids = [...tokenizer.encodeStart(text + (completion ?? ''), length)];
  if (tokenizer.endId !== undefined && ids.at(-1) !== tokenizer.endId) ids.push(tokenizer.endId);
  const prompt = completion === undefined ? 0 : common(tokenizer.encodeStart(text, length), ids);
  return { ids, counts: ids.map((_, i) => i >= prompt) };
}

/**
 * A conversation in the model's format. The parts that count are those that the template marks with {% generation %}
 * or, without that, each of the assistant's messages, from where the template asks for it to where the next message
 * begins, which includes the token that ends it.
 *
 * @throws AuroraError 'data' if there is no template, or the assistant's messages cannot be located
 */
function chatTokens(tokenizer: Tokenizer, messages: readonly ChatMessage[], everything: boolean): Counted {
  const { chat, encodeBare, path, endId, specialIds } = tokenizer;
  if (!chat)
    throw new AuroraError(
      'data',
      `${path} has no chat template, so conversations cannot be formatted.`,
      'Copy chat_template.jinja or a tokenizer_config.json with chat_template beside it, or use data.completionColumn.',
    );
  const { text, generations } = chat(messages, false);
  const ids = encodeBare(text);
  if (everything) return { ids, counts: ids.map(() => true) };
  const counts = ids.map(() => false);
  const tokensBefore = (at: number): { whole: number; cut: boolean } => {
    const prefix = encodeBare(text.slice(0, at));
    const whole = common(prefix, ids);
    return { whole, cut: whole < prefix.length };
  };
  if (generations.length > 0)
    for (const [start, end] of generations) {
      // A token that is marked in part counts, as in transformers.
      const { whole, cut } = tokensBefore(end);
      counts.fill(true, tokensBefore(start).whole, cut ? whole + 1 : whole);
    }
  else
    for (const { start, end, content } of assistantSpans(
      chat,
      messages,
      path,
      endId === undefined ? '' : tokenizer.wordOf(endId),
    )) {
      const to = tokensBefore(end).whole;
      const special =
        content === undefined
          ? -1
          : ids.slice(0, to + 1).findIndex((id, i) => i >= tokensBefore(content).whole && specialIds.has(id));
      counts.fill(true, tokensBefore(start).whole, special < 0 ? to : special + 1);
    }
  return { ids, counts };
}

/** The number of tokens in the common beginning of two texts: a token may span the end of the shorter one. */
export function common(a: readonly number[], b: readonly number[]): number {
  const differs = a.findIndex((id, i) => id !== b[i]);
  return differs < 0 ? Math.min(a.length, b.length) : differs;
}
