import { dirname, join } from 'node:path';
import { loadModelFrom, weightFilesOf } from '../../architectures/load';
import { modelSource, type Pipeline } from '../../architectures/model-source';
import { AuroraError } from '../../base/errors';
import { readPreprocessing } from '../../data/images/preprocessor-config';
import { readTokenizerFiles, tokenizerSum } from '../../data/text/tokenizer-files';
import type { Experiment } from '../../experiment/experiment';
import { describeTask } from '../../experiment/tasks/registry';
import { inputExists, seeingInputs } from '../../files/inputs/open';
import { MODEL_CONFIG } from '../../files/model-path';
import type { NamedInput } from '../../runs/inputs';
import { pipelineSchedule } from '../diffusion/schedule';
import { promptTokenizers } from '../diffusion/encode';
import { seeImages } from './images';
import { SeenInputs } from './seen';

/**
 * Every file that training an experiment will read or try to open, found by its readers themselves: for callers that
 * must know it before anything is trained, such as a sweep, or on another machine. Weights and rows of text are not
 * read.
 *
 * @param incomplete gets the errors of files that cannot be read; without it, they are thrown
 * @throws AuroraError as the readers of models, tokenizers and data
 */
export async function plannedInputs(
  spec: Experiment,
  incomplete?: (error: AuroraError) => void,
): Promise<NamedInput[]> {
  const seen = new SeenInputs(spec);
  await seeingInputs(seen.see, async () => {
    for (const read of [seeModel, seePreparation, seeImages])
      try {
        await read(spec);
      } catch (e) {
        if (incomplete === undefined || !(e instanceof AuroraError)) throw e;
        incomplete(e);
      }
  });
  return seen.all;
}

function seeModel({ model }: Experiment): void {
  const source = modelSource(model.path);
  if (source.kind === 'pipeline') seePipeline(source);
  loadModelFrom(source, 'structure');
}

/** Sees the files that define how texts or images become the model's input. */
function seePreparation({ model, task }: Experiment): void {
  // A pipeline has its tokenizers in folders.
  if (describeTask(task.type).answer === 'picture') return;
  if (model.preprocessor !== undefined) return void readPreprocessing(model.preprocessor);
  readTokenizerFiles(model.tokenizer);
  // By which encoded texts are cached.
  tokenizerSum(model.tokenizer);
}

/**
 * Opens the parts of a pipeline that training uses besides its U-Net, some of it only while pictures are drawn:
 * encoders and decoder, tokenizers and the schedule.
 */
export function seePipeline(pipeline: Pipeline): void {
  const { vae, textEncoders } = pipeline;
  for (const part of new Set([vae.encoder, vae.decoder, ...textEncoders.map((t) => t.model)])) {
    weightFilesOf(part);
    inputExists(join(dirname(part.file), MODEL_CONFIG), 'model-data');
  }
  promptTokenizers(pipeline);
  pipelineSchedule(pipeline);
}
