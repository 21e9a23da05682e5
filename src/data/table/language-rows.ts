import { inTemplate, TEXT_PLACE } from '../../experiment/prompt-template';
import type { Fields } from '../../table/records';
import type { ChatMessage } from '../text/chat';
import { field, type ReadOptions, type Row, type MarkedFormat } from './rows';

/**
 * The text that a language model learns to write: a text, a completion after its prompt, or the answers in a
 * conversation.
 */
export interface LanguageRow extends Row {
  /** The text after `text`, the prompt; `pair` and `label` are equal to it, for display. */
  completion?: string;
  /** `text` is the part before the last answer, and `pair` and `label` are that answer, for display. */
  messages?: ChatMessage[];
}

/** Texts, prompts with completions, or conversations of a data file. */
export const languageRows: MarkedFormat<LanguageRow> = {
  required: ({ messagesColumn }) =>
    messagesColumn === undefined ? ['textColumn', 'completionColumn'] : ['messagesColumn'],
  rowOf: (fields, options) =>
    options.messagesColumn === undefined
      ? written(fields, options)
      : conversation(fields, options.messagesColumn),
  marks: () => [],
  marked: () => ({ text: '', label: '' }),
};

function written(
  fields: Fields,
  { textColumn, completionColumn, promptTemplate = TEXT_PLACE }: ReadOptions,
): Omit<LanguageRow, 'line'> | { problem: string } {
  const own = field(fields, textColumn!);
  if ('problem' in own) return own;
  const text = inTemplate(promptTemplate, own.value);
  if (completionColumn === undefined) return { text, label: '' };
  const completion = field(fields, completionColumn);
  if ('problem' in completion) return completion;
  return { text, pair: completion.value, completion: completion.value, label: completion.value };
}

function conversation(fields: Fields, column: string): Omit<LanguageRow, 'line'> | { problem: string } {
  const value = parsed(fields.get(column));
  if (value === undefined || value === null) return { problem: `no "${column}"` };
  if (!Array.isArray(value) || value.length === 0)
    return { problem: `"${column}" is not a list of messages` };
  const at = value.findIndex((m) => !isMessage(m));
  if (at >= 0) return { problem: `message ${at + 1} of "${column}" has no role and content as strings` };
  const messages = (value as ChatMessage[]).map(({ role, content }) => ({ role, content }));
  if (!messages.some((m) => m.role === 'assistant'))
    return { problem: `no message of "${column}" is the assistant's` };
  const last = messages.findLastIndex((m) => m.role === 'assistant');
  const answer = messages[last].content;
  return { text: promptText(messages.slice(0, last)), pair: answer, label: answer, messages };
}

const promptText = (messages: readonly ChatMessage[]): string =>
  messages.length === 1 ? messages[0].content : messages.map((m) => `${m.role}: ${m.content}`).join('\n');

/** In CSV files, a list is JSON in a field. */
export function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

const isMessage = (value: unknown): value is ChatMessage => {
  const { role, content } = (value ?? {}) as Partial<ChatMessage>;
  return typeof role === 'string' && typeof content === 'string';
};
