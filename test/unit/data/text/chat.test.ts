import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../../src/base/errors';
import { chatTemplate, type ChatMessage } from '../../../../src/data/text/chat';
import type { Json } from '../../../../src/data/text/tokenizer-files';

const FOLDER = join('models', 'chat');
const HELLO: ChatMessage[] = [{ role: 'user', content: 'hello' }];

/** The template of a file beside the tokenizer, or of its configuration. */
function template(source: string, where: 'file' | 'config', config: Json = {}) {
  const files = {
    tokenizer: { model: {} },
    tokenizerConfig: where === 'config' ? { ...config, chat_template: source } : config,
    modelConfig: {},
    ...(where === 'file' && { chatTemplate: source }),
  };
  return chatTemplate(join(FOLDER, 'tokenizer.json'), files)!;
}

function refusal(source: string, where: 'file' | 'config' = 'file'): AuroraError {
  try {
    template(source, where)(HELLO, false);
  } catch (error) {
    if (error instanceof AuroraError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

const write = (source: string, config?: Json): string => template(source, 'file', config)(HELLO, true).text;

describe('a chat template', () => {
  it('with a mistake is an error with its file and line', () => {
    const file = join(FOLDER, 'chat_template.jinja');
    const broken = refusal('a\n{% for m in messages %}{{ m.content }}');
    expect(broken.kind).toBe('tokenizer');
    expect(broken.message).toContain(`${file}:2: the chat template cannot be read: {% endfor %} is missing`);
    expect(refusal('\n\n{{ messages[0].name.first }}').message).toContain(
      `${file}:3: the chat template fails`,
    );
    expect(refusal('{% for i in range(100000000) %}{% endfor %}').message).toContain(`${file}:1:`);
    expect(refusal('{{ 1', 'config').message).toContain(
      `${join(FOLDER, 'tokenizer_config.json')}, line 1 of chat_template: the chat template cannot be read`,
    );
  });

  it('that refuses a conversation is quoted', () => {
    const refused = refusal("{{ raise_exception('Roles must alternate.') }}");
    expect(refused.kind).toBe('data');
    expect(refused.message).toContain('refuses this conversation: Roles must alternate.');
  });

  it('knows tools and documents as None, and only the special tokens that are named', () => {
    expect(write('{{ tools is none }} {{ tools is defined }} {{ documents is none }}')).toBe(
      'True True True',
    );
    expect(write('{{ tools | length if tools is not none else 0 }}')).toBe('0');
    expect(write('{{ bos_token is defined }}{{ eos_token }}', { eos_token: { content: '</s>' } })).toBe(
      'False</s>',
    );
  });

  it('written on Windows renders with newlines', () => {
    expect(write('{% for m in messages %}\r\n{{ m.content }}\r\n{% endfor %}\r\n')).toBe('hello\n');
  });
});
