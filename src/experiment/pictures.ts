/** The samplers that turn noise into a picture, by the names that diffusers' schedulers have in lower case. */
export const SAMPLERS = ['ddim', 'euler'] as const;
export type SamplerName = (typeof SAMPLERS)[number];

/** The settings for drawing a picture, besides its prompt and its size. */
export interface PictureSettings {
  /** Predictions of the noise from the first to the last; with guidance, each runs the model on two rows. */
  steps: number;
  /** Classifier-free guidance: how far the prompt pushes the prediction away from the negative prompt's; 1 for not at all. */
  guidance: number;
  sampler: SamplerName;
  /** The seed of the initial noise. */
  seed: number;
}

/** Pictures that are drawn during training: training.pictures of an experiment. */
export interface PicturesSpec extends PictureSettings {
  prompts: string[];
  negativePrompt?: string;
  /** Steps of training between them. */
  every: number;
}

/** The defaults of diffusers' pipelines, with half as many steps. */
export const PICTURE_DEFAULTS: PictureSettings = { steps: 25, guidance: 7.5, sampler: 'ddim', seed: 0 };

/** The names as spelled in the papers. */
const SAMPLER_NAMES: Record<SamplerName, string> = { ddim: 'DDIM', euler: 'Euler' };
export const samplerName = (sampler: SamplerName): string => SAMPLER_NAMES[sampler];
