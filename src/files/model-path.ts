import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { inputExists } from './inputs/open';
import { isFolder } from './tree';

/** Describes the model of a folder from the Hugging Face hub. */
export const MODEL_CONFIG = 'config.json';
/** Lists the models in the folder of a diffusers pipeline, each in a folder of its name. */
export const PIPELINE_INDEX = 'model_index.json';

const SETTINGS: readonly string[] = [MODEL_CONFIG, PIPELINE_INDEX];

/**
 * The file that a model's path stands for: the config.json of a folder, or its model_index.json if it is a pipeline,
 * otherwise the path itself.
 */
export function modelFile(path: string): string {
  if (!isFolder(path)) return path;
  const index = join(path, PIPELINE_INDEX);
  return inputExists(index, 'model-data') ? index : join(path, MODEL_CONFIG);
}

/** The model's file, for the editor, which must not wait for a disk. */
export async function modelFileLater(path: string): Promise<string> {
  const found = (of: string) => stat(of).catch(() => undefined);
  if (!(await found(path))?.isDirectory()) return path;
  const index = join(path, PIPELINE_INDEX);
  return (await found(index)) ? index : join(path, MODEL_CONFIG);
}

/** A model's path as an experiment names it: the folder rather than the file that describes it. */
export const modelPath = (path: string): string => (SETTINGS.includes(basename(path)) ? dirname(path) : path);

/** True if a path is that of a pipeline's model_index.json. */
export const isPipelineIndex = (path: string): boolean => basename(path) === PIPELINE_INDEX;

/** True if a model's path is a folder from the hub, or the file that describes it, rather than an ONNX file. */
export const isHubModel = (path: string): boolean => SETTINGS.includes(basename(modelFile(path)));

/** True if a model's path is the folder of a diffusers pipeline, or its model_index.json. */
export const isPipeline = (path: string): boolean => isPipelineIndex(modelFile(path));
