import type { TaskDescription } from './kind';

export const imageClassification: TaskDescription = {
  title: 'Image classification',
  detail: 'One label for each image',
  input: 'image',
  answer: 'label',
  head: true,
  pairs: false,
  metrics: ['accuracy', 'top5Accuracy', 'f1', 'macroF1', 'weightedF1'],
  columns: { image: 'image', label: 'label' },
  pipelineTag: 'image-classification',
  modelClass: 'ForImageClassification',
  problemType: 'single_label_classification',
};
