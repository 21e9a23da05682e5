import { basename, dirname } from 'node:path';
import { MODEL_CONFIG } from '../../files/model-path';

/** The files by which models are found. */
export const MODEL_FILES = '**/{*.onnx,config.json,model.safetensors,model.safetensors.index.json}';

const WEIGHTS = /(^|[\\/])model\.safetensors(\.index\.json)?$/;

export const isOnnx = (path: string): boolean => /\.onnx$/i.test(path);

/** The models among the paths of files, sorted: ONNX files, and folders with config.json and safetensors. */
export function modelsAmong(paths: readonly string[]): string[] {
  const described = new Set(paths.filter((p) => basename(p) === MODEL_CONFIG).map((p) => dirname(p)));
  const folders = paths.filter((p) => WEIGHTS.test(p)).map((p) => dirname(p));
  const found = [...paths.filter(isOnnx), ...folders.filter((folder) => described.has(folder))];
  return [...new Set(found)].sort();
}
