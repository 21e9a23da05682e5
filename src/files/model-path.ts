import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { inputExists } from './inputs/open';
import { isFolder } from './tree';

/** Describes the model of a folder from the Hugging Face hub. */
export const MODEL_CONFIG = 'config.json';
/** Lists the models in the folder of a diffusers pipeline, each in a folder of its name. */
export const PIPELINE_INDEX = 'model_index.json';

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
export const modelPath = (path: string): string => (modelKind(path) === 'onnx' ? path : dirname(path));

/** An ONNX file, a folder from the Hugging Face hub, or the folder of a diffusers pipeline. */
export type ModelKind = 'onnx' | 'hub' | 'pipeline';

/** The kind of a model by the name of its file, as `modelFile` finds it. Everything but settings counts as an ONNX file. */
export function modelKind(file: string): ModelKind {
  switch (basename(file)) {
    case MODEL_CONFIG:
      return 'hub';
    case PIPELINE_INDEX:
      return 'pipeline';
    default:
      return 'onnx';
  }
}
