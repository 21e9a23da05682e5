import { AuroraError } from '../../base/errors';
import type { TextExample } from '../../data/dataset';
import type { ChatMessage } from '../../data/text/chat';
import type { LanguageRow } from '../../data/table/language-rows';
import type { Tokenizer } from '../../data/text/tokenizer';
import { IGNORE_LABEL } from '../objective';

/** A text with the tokens that are to be predicted. */
export interface LanguageText extends TextExample {
  /** One for each of `ids`: the token itself, or IGNORE_LABEL where it does not count. */
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
  const { ids, counts } = countedTokens(tokenizer, row, maxLength + 1);
  const kept = Int32Array.from(ids.slice(0, maxLength));
  const targets = kept.map((id, i) => (i > 0 && (lossOn === 'everything' || counts[i]) ? id : IGNORE_LABEL));
  const truncated = ids.length > maxLength;
  const size = targets.some((t) => t !== IGNORE_LABEL) ? kept.length : 0;
  return { size, ids: kept, targets, row: index, ...(truncated && { truncated }) };
}

interface Counted {
  ids: number[];
  /** Whether each token is part of an answer. */
  counts: boolean[];
}

/** @param length tokens needed at most; for conversations, all are made */
export const countedTokens = (
  tokenizer: Tokenizer,
  { text, completion, messages }: Pick<LanguageRow, 'text' | 'completion' | 'messages'>,
  length: number,
): Counted =>
  messages ? chatTokens(tokenizer, messages) : promptTokens(tokenizer, text, completion, length);

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
 * A conversation in the model's format. An assistant's message counts from where the template asks for it to where the
 * next message begins, which includes the token that ends it.
 *
 * @throws AuroraError 'data' if there is no template, or one that writes earlier messages differently later on
 */
function chatTokens(tokenizer: Tokenizer, messages: readonly ChatMessage[]): Counted {
  const { chat } = tokenizer;
  if (!chat)
    throw new AuroraError(
      'data',
      `${tokenizer.path} has no chat template, so conversations cannot be formatted.`,
      'Copy chat_template.jinja or a tokenizer_config.json with chat_template beside it, or use data.completionColumn.',
    );
  const whole = chat(messages, false);
  const ids = tokenizer.encodeBare(whole);
  const counts = ids.map(() => false);
  messages.forEach(({ role }, i) => {
    if (role !== 'assistant') return;
    const [before, after] = [chat(messages.slice(0, i), true), chat(messages.slice(0, i + 1), false)];
    if (!whole.startsWith(before) || !whole.startsWith(after))
      throw new AuroraError(
        'data',
        `${tokenizer.path}: its chat template rewrites earlier messages as the conversation grows, so the assistant's messages cannot be located.`,
        'Set task.lossOn to "everything", or split the conversations so that each has one answer.',
      );
    const [from, to] = [before, after].map((text) => common(tokenizer.encodeBare(text), ids));
    counts.fill(true, from, to);
  });
  return { ids, counts };
}

/** How many tokens two texts begin with in common: a token may span the end of the shorter one. */
export function common(a: readonly number[], b: readonly number[]): number {
  const differs = a.findIndex((id, i) => id !== b[i]);
  return differs < 0 ? Math.min(a.length, b.length) : differs;
}
