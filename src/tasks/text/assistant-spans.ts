import { AuroraError } from '../../base/errors';
import type { ChatMessage, ChatTemplate } from '../../data/text/chat';

/** [start, end) in UTF-16 units. */
type Span = [number, number];

/** The place of one of the assistant's messages, in UTF-16 units. */
export interface AssistantSpan {
  start: number;
  end: number;
  /**
   * The end of the message's content, if the message ends otherwise than where it is the last one (gpt-oss: <|end|>
   * instead of <|return|>), or before a question for the next one that is always there: `end` is then only as far as the
   * two agree.
   */
  content?: number;
}

/**
 * The places of the assistant's messages in a conversation, found by comparing renderings of its beginnings. A template
 * may end a conversation otherwise than a message within it (Phi-3.5), remove the reasoning of earlier messages
 * (Qwen3), ask for reasoning that a message does not have (R1-Distill, QwQ), move the system's message (Mistral), or always
 * ask for the next answer (Nemotron-Mini).
 *
 * @param path the tokenizer's file, for messages
 * @param endToken a token that may end a conversation but no message within it
 * @returns one span for each of the assistant's messages that the template writes
 * @throws AuroraError 'data' if the template refuses the beginning of the conversation
 */
export function assistantSpans(
  chat: ChatTemplate,
  messages: readonly ChatMessage[],
  path: string,
  endToken: string,
): AssistantSpan[] {
  const whole = chat(messages, false).text;
  return messages.flatMap(({ role }, i): AssistantSpan[] => {
    if (role !== 'assistant') return [];
    try {
      const start = startOf(chat, messages, whole, i);
      const end = endOf(chat, messages, whole, i, endToken);
      if (start === undefined || end === undefined) return [];
      return end.end > start || end.content !== undefined ? [{ start, ...end }] : [];
    } catch (cause) {
      if (!(cause instanceof AuroraError)) throw cause;
      throw new AuroraError(
        'data',
        `${path}: its chat template writes the conversation, but not its first ${i + 1} messages, so the assistant's messages cannot be located: ${cause.message}`,
        'Mark them with {% generation %} in the template, or set task.lossOn to "everything".',
        { cause },
      );
    }
  });
}

/**
 * The place where the assistant begins to write: as far as the template's question for the message agrees with the
 * whole.
 */
function startOf(
  chat: ChatTemplate,
  messages: readonly ChatMessage[],
  whole: string,
  i: number,
): number | undefined {
  const earlier = messages.slice(0, i);
  const asked = i === 0 ? '' : chat(earlier, true).text;
  if (i > 0 && whole.startsWith(asked)) return asked.length;
  const own = contentSpan(chat, messages, i, false);
  if (i === 0 || !own) return own?.[0];
  const before = contentSpan(chat, messages, i - 1, false);
  const beforeAsked = contentSpan(chat, earlier, i - 1, true);
  if (!before || !beforeAsked) return own[0];
  const between = whole.slice(before[1], own[0]);
  return before[1] + agreed(asked.slice(beforeAsked[1]), between);
}

/** The end of the message: as far as its end in a conversation that ends with it agrees with the whole. */
function endOf(
  chat: ChatTemplate,
  messages: readonly ChatMessage[],
  whole: string,
  i: number,
  endToken: string,
): Omit<AssistantSpan, 'start'> | undefined {
  const first = messages.slice(0, i + 1);
  const ending = chat(first, false).text;
  const asks = asksAlways(chat, first, ending);
  if (!asks && whole.startsWith(ending)) return { end: ending.length };
  const own = contentSpan(chat, messages, i, false);
  const last = contentSpan(chat, first, i, false);
  if (!own || !last) return own && { end: own[1] };
  const tail = ending.slice(last[1]);
  if (asks) return { end: own[1] + agreed(tail, asks.slice(last[1])), content: own[1] };
  const short = endToken !== '' && tail.endsWith(endToken) ? tail.slice(0, -endToken.length) : tail;
  const rest = whole.slice(own[1]);
  const tails = [tail, short].find((t) => rest.startsWith(t));
  if (tails !== undefined) return { end: own[1] + tails.length };
  return { end: own[1] + agreed(tail, rest), content: own[1] };
}

/**
 * For a template that always asks for the next answer (Nemotron-Mini, Command A): the conversation with
 * a further message of the user, which shows where the question begins. Undefined for others.
 *
 * @param first the conversation up to an answer
 * @param ending its rendering
 */
function asksAlways(chat: ChatTemplate, first: readonly ChatMessage[], ending: string): string | undefined {
  if (chat(first, true).text !== ending) return undefined;
  try {
    const more = chat([...first, { role: 'user', content: 'a' }], false).text;
    return more.startsWith(ending) ? undefined : more;
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    return undefined;
  }
}

/** A character of the private use area, for contents that no template knows. */
const MARK = 0xe0a7;

/**
 * The place of a message's content in a conversation: the part that changes if another is put in its place. Reasoning
 * that the template keeps is part of it.
 *
 * @returns undefined if the template does not write the message
 */
export function contentSpan(
  chat: ChatTemplate,
  messages: readonly ChatMessage[],
  i: number,
  ask: boolean,
): Span | undefined {
  const used = messages.map((m) => m.content).join('');
  let code = MARK;
  while (used.includes(String.fromCharCode(code))) code++;
  const mark = String.fromCharCode(code);
  const text = chat(messages, ask).text;
  const other = chat(messages.with(i, { ...messages[i], content: mark }), ask).text;
  if (other === text) return undefined;
  const start = agreed(text, other);
  const most = Math.min(text.length, other.length) - start;
  let tail = 0;
  while (tail < most && text[text.length - 1 - tail] === other[other.length - 1 - tail]) tail++;
  return [start, text.length - tail];
}

/** The length of the common beginning of two texts, in UTF-16 units. */
function agreed(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return at;
}
