import type { TaskDescription } from './kind';

export const subjectGeneration: TaskDescription = {
  title: 'Subject generation',
  detail: 'Pictures of a subject from a prompt, learned from a few images as in DreamBooth',
  input: 'text',
  answer: 'picture',
  head: false,
  pairs: false,
  metrics: [],
  columns: { text: 'text', image: 'image' },
  defaults: {
    // With five images, none can be spared.
    'data.validationFraction': 0,
    'adapter.targetModules': ['to_q', 'to_k', 'to_v', 'to_out.0'],
  },
  pipelineTag: 'text-to-image',
  modelClass: 'UNet2DConditionModel',
};
