import { requireTextToImage, type ModelSource } from '../../architectures/model-source';
import { AuroraError } from '../../base/errors';
import type { Experiment } from '../../experiment/experiment';
import { startSampler } from '../../tasks/diffusion/sampler';
import { pipelineSchedule } from './schedule';

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
