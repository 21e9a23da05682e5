import type { ChatMessage, ChatTemplate } from '../../data/text/chat';

/** A format of conversations, in text and as one of Ollama's templates, which are Go templates. */
export interface ChatFormat {
  name: string;
  /** The text of a conversation that the assistant continues, without the token that begins texts. */
  text(messages: readonly ChatMessage[]): string;
  /** False if the format has no place for a message of the role system: Ollama then leaves it out. */
  hasSystem: boolean;
  template: string;
  /** The texts that end an answer. */
  stop: readonly string[];
}

const assistantIs = (role: string) => (message: ChatMessage) =>
  message.role === 'assistant' ? { ...message, role } : message;

const chatml: ChatFormat = {
  name: 'ChatML',
  text: (messages) =>
    `${messages.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`).join('')}<|im_start|>assistant\n`,
  hasSystem: true,
  template: `{{- range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
`,
  stop: ['<|im_start|>', '<|im_end|>'],
};

const llama3: ChatFormat = {
  name: 'Llama 3',
  text(messages) {
    const head = (role: string) => `<|start_header_id|>${role}<|end_header_id|>\n\n`;
    return `${messages.map(({ role, content }) => `${head(role)}${content}<|eot_id|>`).join('')}${head('assistant')}`;
  },
  hasSystem: true,
  template: `{{- range .Messages }}<|start_header_id|>{{ .Role }}<|end_header_id|>

{{ .Content }}<|eot_id|>{{ end }}<|start_header_id|>assistant<|end_header_id|>

`,
  stop: ['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'],
};

const gemma: ChatFormat = {
  name: 'Gemma',
  text: (messages) =>
    `${messages
      .map(assistantIs('model'))
      .map(({ role, content }) => `<start_of_turn>${role}\n${content}<end_of_turn>\n`)
      .join('')}<start_of_turn>model\n`,
  hasSystem: false,
  template: `{{- range .Messages }}{{ if ne .Role "system" }}<start_of_turn>{{ if eq .Role "assistant" }}model{{ else }}user{{ end }}
{{ .Content }}<end_of_turn>
{{ end }}{{ end }}<start_of_turn>model
`,
  stop: ['<end_of_turn>'],
};

const phi3: ChatFormat = {
  name: 'Phi-3',
  text: (messages) =>
    `${messages.map(({ role, content }) => `<|${role}|>\n${content}<|end|>\n`).join('')}<|assistant|>\n`,
  hasSystem: true,
  template: `{{- range .Messages }}<|{{ .Role }}|>
{{ .Content }}<|end|>
{{ end }}<|assistant|>
`,
  stop: ['<|end|>', '<|user|>', '<|assistant|>'],
};

const zephyr: ChatFormat = {
  name: 'Zephyr',
  text: (messages) =>
    `${messages.map(({ role, content }) => `<|${role}|>\n${content}</s>\n`).join('')}<|assistant|>\n`,
  hasSystem: true,
  template: `{{- range .Messages }}<|{{ .Role }}|>
{{ .Content }}</s>
{{ end }}<|assistant|>
`,
  stop: ['</s>', '<|user|>', '<|assistant|>'],
};

const mistral = (before: string, after: string): ChatFormat => ({
  name: 'Mistral',
  text: (messages) =>
    messages
      .map(({ role, content }) =>
        role === 'assistant' ? `${after}${content}</s>` : `[INST]${before}${content}${before}[/INST]`,
      )
      .join(''),
  hasSystem: false,
  template: `{{- range .Messages }}{{ if eq .Role "assistant" }}${after}{{ .Content }}</s>{{ else if eq .Role "user" }}[INST]${before}{{ .Content }}${before}[/INST]{{ end }}{{ end }}`,
  stop: ['[INST]', '[/INST]'],
});

const FORMATS: readonly ChatFormat[] = [
  chatml,
  llama3,
  gemma,
  phi3,
  zephyr,
  // The second to fourth versions of its tokenizer differ in spaces.
  mistral(' ', ' '),
  mistral(' ', ''),
  mistral('', ' '),
  mistral('', ''),
];

const SYSTEM: ChatMessage = { role: 'system', content: 'You are Ada, a guide.' };
const TALK: readonly ChatMessage[] = [
  { role: 'user', content: 'Who was first?' },
  { role: 'assistant', content: 'It depends.' },
  { role: 'user', content: 'On what?' },
];

/** A model's format of conversations, and the system message that its template adds by default. */
export interface RecognizedChat {
  format: ChatFormat;
  system?: string;
}

/**
 * The known format that gives the same texts as a model's own chat template, on conversations with one and two questions,
 * with and without a system message; undefined if none does.
 *
 * @param begin the token that llama.cpp puts before a text, which the template may write
 */
export function recognizeChat(chat: ChatTemplate, begin: string): RecognizedChat | undefined {
  const own = (messages: readonly ChatMessage[]): string | undefined => {
    try {
      const { text } = chat(messages, true);
      return text.startsWith(begin) ? text.slice(begin.length) : text;
    } catch {
      // The template refuses the conversation.
      return undefined;
    }
  };
  const [asked, talk] = [own(TALK.slice(0, 1)), own(TALK)];
  if (asked === undefined || talk === undefined) return undefined;
  for (const format of FORMATS) {
    if (format.hasSystem && own([SYSTEM, ...TALK]) !== format.text([SYSTEM, ...TALK])) continue;
    if (asked === format.text(TALK.slice(0, 1)) && talk === format.text(TALK)) return { format };
    const system = format.hasSystem ? addedSystem(format, talk) : undefined;
    if (system !== undefined && asked === format.text([system, ...TALK.slice(0, 1)]))
      return { format, system: system.content };
  }
  return undefined;
}

/** The system message with which a format gives a text of the conversation. */
function addedSystem(format: ChatFormat, talk: string): ChatMessage | undefined {
  const [before, after] = format.text([{ ...SYSTEM, content: '\0' }, ...TALK]).split('\0');
  if (!talk.startsWith(before) || !talk.endsWith(after) || talk.length < before.length + after.length)
    return undefined;
  return { role: 'system', content: talk.slice(before.length, talk.length - after.length) };
}
