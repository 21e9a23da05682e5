import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isFolder } from './tree';

/** Says what the model of a folder from the Hugging Face hub is. */
export const MODEL_CONFIG = 'config.json';

/** The file that a model's path stands for: the config.json of a folder, otherwise the path itself. */
export const modelFile = (path: string): string => (isFolder(path) ? join(path, MODEL_CONFIG) : path);

/** The same for the editor, which must not wait for a disk. */
export async function modelFileLater(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ? join(path, MODEL_CONFIG) : path;
}

/** A model's path as an experiment names it: the folder rather than its config.json. */
export const modelPath = (path: string): string => (basename(path) === MODEL_CONFIG ? dirname(path) : path);

/** Whether a model's path is a folder from the hub, or its config.json, rather than an ONNX file. */
export const isHubModel = (path: string): boolean => basename(modelFile(path)) === MODEL_CONFIG;
