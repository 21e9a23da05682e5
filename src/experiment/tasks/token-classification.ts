import type { TaskDescription } from './kind';

export const tokenClassification: TaskDescription = {
  title: 'Token classification',
  detail: 'A tag for each word, as in named-entity recognition',
  input: 'text',
  answer: 'spans',
  head: true,
  pairs: false,
  metrics: ['entityF1', 'entityPrecision', 'entityRecall', 'tagAccuracy'],
  columns: { text: 'tokens', label: 'tags' },
  pipelineTag: 'token-classification',
  modelClass: 'ForTokenClassification',
  peftTaskType: 'TOKEN_CLS',
};
