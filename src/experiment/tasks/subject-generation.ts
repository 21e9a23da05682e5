import type { TaskDescription } from './kind';

/** The attention layers, as in diffusers' training scripts. */
const OF_UNET = ['to_q', 'to_k', 'to_v', 'to_out.0'];
const OF_TEXT_ENCODERS = ['q_proj', 'k_proj', 'v_proj', 'out_proj'];

export const subjectGeneration: TaskDescription = {
  title: 'Subject generation',
  detail: 'Pictures of a subject from a prompt, learned from a few images as in DreamBooth',
  input: 'text',
  answer: 'picture',
  head: false,
  pairs: false,
  metrics: [],
  columns: { text: 'text', image: 'image' },
  defaults: ({ trainTextEncoder }) => ({
    // With five images, none can be spared.
    'data.validationFraction': 0,
    'adapter.targetModules': trainTextEncoder === true ? [...OF_UNET, ...OF_TEXT_ENCODERS] : OF_UNET,
  }),
  pipelineTag: 'text-to-image',
  modelClass: 'UNet2DConditionModel',
};
