import { type ModelSource, type Pipeline, requireTextToImage } from '../../architectures/model-source';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { noiseSchedule, type NoiseSchedule } from '../../tasks/diffusion/noise-schedule';
import { startSampler } from '../../tasks/diffusion/sampler';
import { readSchedulerConfig } from '../../tasks/diffusion/scheduler-config';

/**
 * The noise of a pipeline, for its samplers. diffusers' StableDiffusionPipeline corrects two settings of older files:
 * predicted pictures are not clipped, and leading timesteps begin at 1.
 *
 * @throws AuroraError 'model' if its scheduler is not supported
 */
export function pipelineSchedule({ schedulerConfig, isXl }: Pipeline): NoiseSchedule {
  const config = readSchedulerConfig(schedulerConfig);
  return noiseSchedule(isXl ? config : config.with({ clip_sample: false, steps_offset: 1 }));
}

/**
 * Before anything is encoded or trained: the pipeline's scheduler can draw the pictures of training.pictures.
 *
 * @throws AuroraError 'experiment' for a number of steps that it does not have, 'model' for a scheduler that is not supported, and as
 *   `requireTextToImage`
 */
export function requireDrawingSteps({ training: { pictures } }: Experiment, source: ModelSource): void {
  if (!pictures) return;
  const { sampler, steps } = pictures;
  try {
    startSampler(sampler, pipelineSchedule(requireTextToImage(source)), steps, []);
  } catch (e) {
    if (!(e instanceof AuroraError) || e.kind !== 'usage') throw e;
    throw new AuroraError(
      'experiment',
      `training.pictures.steps is ${steps}. ${e.message}`,
      e.hint && `${e.hint} The setting is training.pictures.steps.`,
    );
  }
}
