import type { TaskDescription } from './kind';

export const multiLabelClassification: TaskDescription = {
  input: 'text',
  answer: 'labels',
  head: true,
  pairs: true,
  metrics: ['microF1', 'macroF1', 'meanAveragePrecision'],
  columns: { text: 'text', label: 'labels' },
  pipelineTag: 'text-classification',
  peftTaskType: 'SEQ_CLS',
  problemType: 'multi_label_classification',
};
