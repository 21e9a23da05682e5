import { Template } from '@huggingface/jinja';
import { AuroraError } from '../../base/errors';
import { content } from './special-ids';
import type { TokenizerFiles } from './tokenizer-files';

/** One turn of a conversation. */
export interface ChatMessage {
  role: string;
  content: string;
}

/**
 * A conversation in a model's own format.
 *
 * @param ask whether the text ends where the assistant begins to write
 * @throws AuroraError 'data' if the template refuses the conversation
 */
export type ChatTemplate = (messages: readonly ChatMessage[], ask: boolean) => string;

/**
 * The chat template of chat_template.jinja or tokenizer_config.json; of several, the one called default.
 *
 * @throws Error if it is not a Jinja template
 */
export function chatTemplate({
  tokenizerConfig,
  chatTemplate: file,
}: TokenizerFiles): ChatTemplate | undefined {
  const source = file ?? named(tokenizerConfig.chat_template);
  if (source === undefined) return undefined;
  let template: Template | undefined;
  const special = {
    bos_token: content(tokenizerConfig.bos_token) ?? '',
    eos_token: content(tokenizerConfig.eos_token) ?? '',
    unk_token: content(tokenizerConfig.unk_token) ?? '',
    pad_token: content(tokenizerConfig.pad_token) ?? '',
  };
  return (messages, ask) => {
    // Parsed at the first conversation: most runs have none.
    template ??= new Template(source);
    try {
      return template.render({ ...special, messages, add_generation_prompt: ask });
    } catch (cause) {
      throw new AuroraError(
        'data',
        `The chat template of the tokenizer refuses this conversation: ${(cause as Error).message}`,
        'Check the roles and their order.',
        { cause },
      );
    }
  };
}

/** transformers writes one template as a string, several as a list of names and templates. */
function named(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  const all = value as { name?: unknown; template?: unknown }[];
  const found = all.find((t) => t?.name === 'default') ?? all[0];
  return typeof found?.template === 'string' ? found.template : undefined;
}
