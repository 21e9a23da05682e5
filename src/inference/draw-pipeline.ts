import { join } from 'node:path';
import { readConfig } from '../architectures/folder/config';
import { loadModelFrom } from '../architectures/load';
import { configOf, type Pipeline } from '../architectures/model-source';
import { loadWithTextEncoders } from '../architectures/pipeline';
import { PICTURE_DEFAULTS } from '../experiment/pictures';
import { prepareModel } from '../graph/prepare';
import { adapterModules } from '../peft/fit';
import { isInTextEncoder } from '../peft/kohya-names';
import { modelName } from '../protocol/play-question';
import type { PlayFacts } from '../protocol/playground';
import { modelInputs } from '../tasks/task-data';
import { openDrawer } from '../training/diffusion/drawer';
import { type AddedAdapter, weighable, weighingFacts } from './adapter-stack';
import { adaptedGraph, followWeights, plainGraph } from './graph';
import type { OpenOptions } from './open-subject';
import { painterDraw } from './run-drawing';
import { openAnswers } from './answer-session';
import type { Painter } from './subject';

/** The output of a U-Net. */
const PREDICTION = 'out_sample';

/**
 * A pipeline of diffusers, alone or with adapters of its U-Net, or also of its text encoders. The U-Net is in memory once for
 * both variants; text encoders and autoencoder only while they work.
 *
 * @throws AuroraError 'model' for a pipeline that cannot be used, 'adapter' for an adapter that does not fit
 */
export async function openPipeline(
  pipeline: Pipeline,
  adapters: readonly AddedAdapter[],
  options: OpenOptions,
): Promise<Painter> {
  const original = adapters.some(adaptsTexts) ? loadWithTextEncoders(pipeline) : loadModelFrom(pipeline);
  const isAdapted = adapters.length > 0;
  const model = isAdapted ? prepareModel(original) : original;
  const drawer = openDrawer(pipeline, modelInputs(model), {
    keep: join(options.folder, 'encoded'),
    folder: join(options.folder, 'parts'),
    threads: options.threads,
  });
  const answer = model.graph.outputs.find((o) => o.name === PREDICTION) ?? model.graph.outputs[0]!;
  const graph = isAdapted ? adaptedGraph(model, answer, true, adapters) : plainGraph(model, answer.name);
  const session = await openAnswers(pipeline.unet.file, graph, options, false);
  return {
    facts: {
      input: 'text',
      answer: 'picture',
      name: modelName(pipeline.folder, adapters[0]?.name),
      labels: [],
      ...(isAdapted && { base: 'model' as const }),
      samples: false,
      drawing: defaultsOf(pipeline),
      assumed: [],
      ...weighingFacts(graph.weighing),
    },
    ...weighable(graph.weighing, () => followWeights(graph)),
    variants: session.variants,
    draw: painterDraw(
      drawer,
      (variant) => async (inputs) => (await session.run(inputs, variant)).answer.data as Float32Array,
    ),
    dispose: () => session.dispose(),
  };
}

/** True if some of its modules are in a text encoder: then that runs with the U-Net. */
const adaptsTexts = ({ from }: AddedAdapter): boolean =>
  [...adapterModules(from).modules.keys()].some(isInTextEncoder);

/** The defaults of diffusers' pipelines: the size that the U-Net was made for. */
function defaultsOf({ unet, vae }: Pipeline): NonNullable<PlayFacts['drawing']> {
  const config = readConfig(configOf(unet));
  const [height, width] = config.size('sample_size', 64);
  const { steps, guidance, sampler } = PICTURE_DEFAULTS;
  const [wide, high] = [width, height].map((latents) => sideOf(latents * vae.factor));
  return { width: wide!, height: high!, steps, guidance, sampler };
}

/** A side that a request may have. */
const sideOf = (pixels: number): number => Math.min(Math.max(8 * Math.round(pixels / 8), 8), 4096);
