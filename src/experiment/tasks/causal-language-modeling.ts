import type { TaskDescription } from './kind';

export const causalLanguageModeling: TaskDescription = {
  title: 'Language modeling',
  detail: 'The next token of texts, of completions after prompts, or of conversations',
  input: 'text',
  answer: 'text',
  head: false,
  pairs: false,
  metrics: ['perplexity', 'tokenAccuracy'],
  columns: { text: 'text' },
  pipelineTag: 'text-generation',
  modelClass: 'ForCausalLM',
  peftTaskType: 'CAUSAL_LM',
};
