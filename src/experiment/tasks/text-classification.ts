import type { TaskDescription } from './kind';

export const textClassification: TaskDescription = {
  title: 'Text classification',
  detail: 'One label for each text or pair of texts',
  input: 'text',
  answer: 'label',
  head: true,
  pairs: true,
  metrics: ['accuracy', 'f1', 'macroF1', 'weightedF1', 'matthews'],
  columns: { text: 'text', label: 'label' },
  pipelineTag: 'text-classification',
  modelClass: 'ForSequenceClassification',
  peftTaskType: 'SEQ_CLS',
  problemType: 'single_label_classification',
};
