import type { Pipeline } from '../../architectures/model-source';
import { noiseSchedule, type NoiseSchedule } from '../../tasks/diffusion/noise-schedule';
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
