import { dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { compile, type Plain } from './jinja/template';
import type { Rendered } from './jinja/render';
import { TemplateError } from './jinja/template-error';
import { content } from './special-tokens';
import { CHAT_TEMPLATE, TOKENIZER_CONFIG, type Json, type TokenizerFiles } from './tokenizer-files';

/** A turn of a conversation. */
export interface ChatMessage {
  role: string;
  content: string;
}

/**
 * A conversation in a model's own format, and the parts of it that the template marks as generated.
 *
 * @param ask true if the text ends where the assistant begins to write
 * @throws AuroraError 'tokenizer' if the template has a mistake, 'data' if it refuses the conversation
 */
export type ChatTemplate = (messages: readonly ChatMessage[], ask: boolean) => Rendered;

/** Special tokens by the names under which templates know them. */
const SPECIAL = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;

/** The chat template as written; undefined without one. */
export const chatTemplateSource = ({ tokenizerConfig, chatTemplate }: TokenizerFiles): string | undefined =>
  chatTemplate ?? named(tokenizerConfig.chat_template);

/**
 * The chat template of chat_template.jinja or tokenizer_config.json; of several, the one called default.
 *
 * @param path the tokenizer's file, beside which they are
 */
export function chatTemplate(path: string, files: TokenizerFiles): ChatTemplate | undefined {
  const { tokenizerConfig, chatTemplate: file } = files;
  const source = chatTemplateSource(files);
  if (source === undefined) return undefined;
  const place = join(dirname(path), file === undefined ? TOKENIZER_CONFIG : CHAT_TEMPLATE);
  const where = (line: number | undefined) =>
    file === undefined ? `${place}, line ${line ?? 1} of chat_template` : `${place}:${line ?? 1}`;
  const variables = { ...specialTokens(tokenizerConfig), tools: null, documents: null };
  let template: ReturnType<typeof compile> | undefined;
  return (messages, ask) => {
    // Parsed at the first conversation: most runs have none.
    template ??= withError(
      () => compile(source),
      ({ message, line }, cause) =>
        new AuroraError(
          'tokenizer',
          `${where(line)}: the chat template cannot be read: ${message}.`,
          'Restore it from the model’s source, or correct this line.',
          { cause },
        ),
    );
    const plain: Plain = messages.map(({ role, content }) => ({ role, content }));
    return withError(
      () => template!({ ...variables, messages: plain, add_generation_prompt: ask }),
      ({ message, line, raised }, cause) =>
        new AuroraError(
          'data',
          raised
            ? `The chat template in ${place} refuses this conversation: ${message}`
            : `${where(line)}: the chat template fails on this conversation: ${message}.`,
          raised
            ? 'Check the roles and their order.'
            : 'Correct this line, or use the template of the model’s source.',
          { cause },
        ),
    );
  };
}

function withError<T>(use: () => T, described: (error: TemplateError, cause: Error) => AuroraError): T {
  try {
    return use();
  } catch (cause) {
    throw cause instanceof TemplateError ? described(cause, cause) : cause;
  }
}

/** The tokens that the file names. As in transformers, others are undefined: some templates ask for that. */
function specialTokens(config: Json): Record<string, Plain> {
  const tokens: Record<string, Plain> = {};
  for (const name of SPECIAL) {
    const token = content(config[name]);
    if (token !== undefined) tokens[name] = token;
  }
  const more = config.additional_special_tokens;
  if (Array.isArray(more)) {
    const texts = more.map(content).filter((text) => text !== undefined);
    if (texts.length > 0) tokens.additional_special_tokens = texts;
  }
  return tokens;
}

/** transformers writes one template as a string, several as a list of names and templates. */
function named(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  const all = value as { name?: unknown; template?: unknown }[];
  const found = all.find((t) => t?.name === 'default') ?? all[0];
  return typeof found?.template === 'string' ? found.template : undefined;
}
