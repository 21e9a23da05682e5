import type { TaskDescription } from './kind';

export const maskedLanguageModeling: TaskDescription = {
  title: 'Masked language modeling',
  detail: 'Hidden tokens of texts, as in the pretraining of BERT',
  input: 'text',
  answer: 'tokens',
  head: false,
  pairs: false,
  metrics: ['perplexity', 'tokenAccuracy'],
  columns: { text: 'text' },
  pipelineTag: 'fill-mask',
  modelClass: 'ForMaskedLM',
};
