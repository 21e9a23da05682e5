import type { TaskDescription } from './kind';

export const causalLanguageModeling: TaskDescription = {
  input: 'text',
  answer: 'text',
  head: false,
  pairs: false,
  metrics: ['perplexity', 'tokenAccuracy'],
  columns: { text: 'text' },
  pipelineTag: 'text-generation',
  peftTaskType: 'CAUSAL_LM',
};
