import type { TaskDescription } from './kind';

export const textRegression: TaskDescription = {
  title: 'Text regression',
  detail: 'A number for each text or pair of texts, such as a similarity',
  input: 'text',
  answer: 'number',
  head: true,
  pairs: true,
  metrics: ['pearson', 'spearman', 'rmse'],
  columns: { text: 'text', label: 'label' },
  pipelineTag: 'text-classification',
  modelClass: 'ForSequenceClassification',
  peftTaskType: 'SEQ_CLS',
  problemType: 'regression',
};
