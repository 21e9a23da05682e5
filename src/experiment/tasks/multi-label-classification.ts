import type { TaskDescription } from './kind';

export const multiLabelClassification: TaskDescription = {
  title: 'Multi-label classification',
  detail: 'Any number of labels for each text or pair of texts',
  input: 'text',
  answer: 'labels',
  head: true,
  pairs: true,
  metrics: ['microF1', 'macroF1', 'meanAveragePrecision'],
  columns: { text: 'text', label: 'labels' },
  pipelineTag: 'text-classification',
  modelClass: 'ForSequenceClassification',
  peftTaskType: 'SEQ_CLS',
  problemType: 'multi_label_classification',
};
