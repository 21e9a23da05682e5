import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { chatTemplate } from '../../../../src/data/text/chat';
import { recognizeChat } from '../../../../src/exports/gguf/chat-formats';

/** The format and the default system message of a template. */
function recognized(source: string, bos_token = '<s>') {
  const files = {
    tokenizer: { model: {} },
    tokenizerConfig: { bos_token, eos_token: '</s>' },
    modelConfig: {},
    chatTemplate: source,
  };
  const found = recognizeChat(chatTemplate('tokenizer.json', files)!, bos_token);
  return found && [found.format.name, found.system];
}

const CHATML = "{% for m in messages %}<|im_start|>{{ m.role + '\n' + m.content }}<|im_end|>\n{% endfor %}";
const ASK = '{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}';
const DEFAULT = "{% if messages[0].role != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}";
const LLAMA3 =
  "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content | trim }}<|eot_id|>{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";
const GEMMA =
  "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('No system.') }}{% endif %}{% for m in messages %}{% set role = 'model' if m.role == 'assistant' else m.role %}{{ '<start_of_turn>' + role + '\n' + m.content | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}";
const MISTRAL =
  "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% elif m.role == 'assistant' %}{{ m.content + eos_token }}{% else %}{{ raise_exception('Only user and assistant.') }}{% endif %}{% endfor %}";

describe('a chat template', () => {
  it.each([
    ['ChatML', CHATML + ASK, undefined],
    ['ChatML', DEFAULT + CHATML + ASK, 'Be kind.'],
    ['Llama 3', LLAMA3, undefined],
    ['Gemma', GEMMA, undefined],
    ['Mistral', MISTRAL, undefined],
  ])('of %s is recognized by the texts that it writes', (name, source, system) => {
    expect(recognized(source)).toEqual([name, system]);
  });

  it.each([
    ['qwen3', 'ChatML'],
    ['phi3.5', 'Phi-3'],
    ['mistral-nemo', 'Mistral'],
  ])('of %s, as published, is %s', (file, name) => {
    const source = readFileSync(`test/fixtures/chat-templates/${file}.jinja`, 'utf8');
    expect(recognized(source)).toEqual([name, undefined]);
  });

  it.each([
    ['another end', CHATML.replace('<|im_end|>', '<|end|>') + ASK],
    ['no line for the answer', CHATML],
    [
      'a default that depends on the conversation',
      `${DEFAULT.replace('Be kind.', '{{ messages | length }}')}${CHATML}${ASK}`,
    ],
    ['a mistake', '{% for %}'],
    ['roles in words', '{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}'],
  ])('with %s is not taken for a known one', (_, source) => {
    expect(recognized(source)).toBeUndefined();
  });
});
