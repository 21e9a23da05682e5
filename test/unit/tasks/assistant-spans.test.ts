import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ChatMessage, ChatTemplate } from '../../../src/data/text/chat';
import { compile } from '../../../src/data/text/jinja/template';
import { assistantSpans, contentSpan } from '../../../src/tasks/text/assistant-spans';

const FOLDER = join(import.meta.dirname, '../../fixtures/chat-templates');
const END = '</s>';
const conversations = JSON.parse(readFileSync(join(FOLDER, 'conversations.json'), 'utf8')) as Record<
  'single' | 'multi' | 'system' | 'think',
  ChatMessage[]
>;

function chat(name: string): ChatTemplate {
  const template = compile(readFileSync(join(FOLDER, `${name}.jinja`), 'utf8'));
  const given = { tools: null, documents: null, bos_token: '<s>', eos_token: END };
  return (messages, ask) =>
    template({ ...given, messages: messages.map((m) => ({ ...m })), add_generation_prompt: ask });
}

const located = (name: string, messages: readonly ChatMessage[]): string[] => {
  const template = chat(name);
  const { text } = template(messages, false);
  return assistantSpans(template, messages, 'tokenizer.json', END).map(({ start, end }) =>
    text.slice(start, end),
  );
};

describe('the assistant’s messages', () => {
  it.each([
    ['phi3.5', ['B<|end|>\n', `D<|end|>\n${END}`]],
    ['qwen3', ['B<|im_end|>\n', '<think>\n\n</think>\n\nD<|im_end|>\n']],
    ['qwq', ['B<|im_end|>\n', 'D<|im_end|>\n']],
    ['r1-distill-qwen', ['B<｜end▁of▁sentence｜>', 'D<｜end▁of▁sentence｜>']],
    ['mistral-nemo', [`B${END}`, `D${END}`]],
    ['smollm3', ['B<|im_end|>\n', 'D<|im_end|>\n']],
    ['seed-oss', ['B<seed:eos>', 'D<seed:eos>']],
    ['functionary-3.1', ['B<|eot_id|>', 'D<|eot_id|>']],
    // The first ends otherwise than it would at the end of the conversation; its own end is a token that language-text adds.
    ['gpt-oss', ['<|channel|>final<|message|>B<|', '<|channel|>final<|message|>D<|return|>']],
    ['olmo2', [`B${END}`, `D${END}`]],
    ['qwen3-coder', ['B<|im_end|>\n', 'D<|im_end|>\n']],
    ['glm4.5', ['\n<think></think>\nB', '\n<think></think>\nD']],
    ['turns-exaone4', ['B[|endofturn|]\n', 'D[|endofturn|]\n']],
    ['turns-glm4', ['\nB', '\nD']],
    // These always ask for the next answer, which is not part of the last one.
    ['turns-nemotron', ['B\n<extra_id_1>', 'D\n<extra_id_1>']],
    [
      'turns-command-a',
      ['B', 'D'].map(
        (text) => `<|START_RESPONSE|>${text}<|END_RESPONSE|><|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|`,
      ),
    ],
  ])('are found in a conversation of several turns: %s', (name, expected) => {
    expect(located(name, conversations.system)).toEqual(expected);
  });

  it.each(['qwq', 'r1-distill-qwen'])('are found where a single answer has no reasoning: %s', (name) => {
    const [answer] = located(name, conversations.single);
    expect(answer).toMatch(/^Hi there</);
  });

  it.each([
    ['qwen3', ['  A1<|im_end|>\n', '<think>\nlonger hm\n</think>\n\n\tA2<|im_end|>\n']],
    ['qwq', ['  A1<|im_end|>\n', 'longer hm\n</think>\n\n\tA2<|im_end|>\n']],
    ['r1-distill-qwen', ['\n\n  A1<｜end▁of▁sentence｜>', '\n\n\tA2<｜end▁of▁sentence｜>']],
  ])('are found where the template removes reasoning: %s', (name, expected) => {
    expect(located(name, conversations.think)).toEqual(expected);
  });

  it.each(['apriel-1.5', 'functionary-3.1', 'gpt-oss', 'mistral-nemo', 'phi3.5', 'qwen3', 'qwq', 'seed-oss'])(
    'never include what a user wrote: %s',
    (name) => {
      const answers = located(name, conversations.multi);
      expect(answers).toHaveLength(2);
      expect(answers[0]).toContain('It is 2.');
      expect(answers[1]).toContain('indented 4');
      expect(answers.join()).not.toMatch(/1\+1|2\+2/);
    },
  );

  it('keep the indentation of code behind newlines', () => {
    const code: ChatMessage[] = [
      { role: 'user', content: 'Q' },
      { role: 'assistant', content: '\n    return 1' },
    ];
    expect(located('qwen3', code)).toEqual(['<think>\n\n</think>\n\n    return 1<|im_end|>\n']);
  });

  it('that the template does not write are left out', () => {
    const template: ChatTemplate = (messages) => ({
      text: messages
        .filter((m) => m.role === 'user')
        .map((m) => `${m.content}|`)
        .join(''),
      generations: [],
    });
    expect(assistantSpans(template, conversations.system, 'tokenizer.json', END)).toEqual([]);
  });

  it('have contents that end where the template’s own end begins', () => {
    const template = chat('r1-distill-qwen');
    const { text } = template(conversations.single, false);
    const span = contentSpan(template, conversations.single, 1, false)!;
    expect(text.slice(...span)).toBe('Hi there');
  });
});
