import { AuroraError } from '../../base/errors';
import { type Examples, sizesOf, type TextDataset, type TextExample } from '../../data/dataset';
import { MadeList } from '../../data/list';
import { packRows } from '../../data/packing';
import type { LanguageRow } from '../../data/table/language-rows';
import type { ChatMessage } from '../../data/text/chat';
import type { Tokenizer } from '../../data/text/tokenizer';
import { IGNORE_LABEL } from '../objective';
import { assistantSpans } from './assistant-spans';

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
      const tail = content === undefined ? to : tokensBefore(content).whole;
      const ends = (is: (id: number) => boolean) =>
        ids.slice(0, to + 1).findIndex((id, i) => i >= tail && is(id));
      // Command A ends an answer before it ends the turn.
      const own = content === undefined ? -1 : ends((id) => id === endId);
      const special = content === undefined || own >= 0 ? own : ends((id) => specialIds.has(id));
      counts.fill(true, tokensBefore(start).whole, special < 0 ? to : special + 1);
    }
  return { ids, counts };
}

/** The number of tokens in the common beginning of two texts: a token may span the end of the shorter one. */
export function common(a: readonly number[], b: readonly number[]): number {
  const differs = a.findIndex((id, i) => id !== b[i]);
  return differs < 0 ? Math.min(a.length, b.length) : differs;
}

/** Rows of several texts, each made of its texts when it is asked for. */
class PackedTexts extends MadeList<LanguageText> implements Examples<LanguageText> {
  readonly sizes: Int32Array;

  /** @param rows the texts of each */
  constructor(
    private readonly texts: Examples<LanguageText>,
    sizes: ArrayLike<number>,
    private readonly rows: readonly (readonly number[])[],
  ) {
    super();
    this.sizes = Int32Array.from(rows, (row) => row.reduce((sum, text) => sum + sizes[text]!, 0));
  }

  get length(): number {
    return this.rows.length;
  }

  at(index: number): LanguageText | undefined {
    const texts = this.rows[index]?.map((text) => this.texts.at(text)!);
    if (!texts) return undefined;
    const size = this.sizes[index]!;
    const [ids, targets, begins] = [new Int32Array(size), new Int32Array(size), new Int32Array(size)];
    let at = 0;
    for (const text of texts) {
      ids.set(text.ids, at);
      targets.set(text.targets, at);
      begins.fill(at, at, at + text.size);
      at += text.size;
    }
    const textRows = texts.map(({ row }) => row);
    return { size, ids, targets, begins, textRows, row: textRows[0]! };
  }
}

/**
 * Texts as rows of at most `capacity` tokens. A text's first token is never a target, so none is predicted from the text
 * before.
 */
export function packedTexts(
  dataset: TextDataset<LanguageText>,
  capacity: number,
  seed: number,
): TextDataset<LanguageText> {
  const sizes = sizesOf(dataset);
  const rows = packRows(sizes, capacity, seed);
  return { ...dataset, examples: new PackedTexts(dataset.examples, sizes, rows) };
}
