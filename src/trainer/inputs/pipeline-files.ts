import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { weightFilesOf } from '../../architectures/load';
import { readPipeline } from '../../architectures/pipeline';
import { CLIP_FILES } from '../../data/text/clip-files';
import { isHubModel } from '../../files/model-path';
import type { InputPath } from './files';

/** What a tokenizer of a pipeline may consist of. */
const TOKENIZER = ['vocab.json', 'tokenizer.json', 'tokenizer_config.json', ...CLIP_FILES];

/**
 * What training reads of a pipeline besides model_index.json and the weights of its U-Net: settings, encoders and decoder,
 * tokenizers and the schedule.
 */
export function pipelineFiles(path: string): InputPath[] {
  const { unet, vae, textEncoders, schedulerConfig } = readPipeline(path);
  const components = [vae.encoder, vae.decoder, ...textEncoders.map(({ model }) => model)];
  const models = [unet, ...components, ...components.flatMap(weightsOf), schedulerConfig];
  const tokenizers = textEncoders.flatMap(({ tokenizer }) => TOKENIZER.map((name) => join(tokenizer, name)));
  return [
    ...[...new Set(models)].map((file) => ({ role: 'model-data', path: file }) as const),
    ...[...new Set(tokenizers)]
      .filter((file) => existsSync(file))
      .map((file) => ({ role: 'tokenizer', path: file }) as const),
  ];
}

/** Of an ONNX file, what Optimum keeps beside it, and the config.json there. */
function weightsOf(component: string): string[] {
  if (isHubModel(component)) return weightFilesOf(component);
  const beside = [`${component}_data`, join(dirname(component), 'config.json')];
  return beside.filter((file) => existsSync(file));
}
