import { basename, dirname, sep } from 'node:path';
import { MODEL_CONFIG, PIPELINE_INDEX } from '../../files/model-path';

/** The files by which models are found. */
export const MODEL_FILES =
  '**/{*.onnx,config.json,model.safetensors,model.safetensors.index.json,model_index.json}';

const WEIGHTS = /(^|[\\/])model\.safetensors(\.index\.json)?$/;

export const isOnnx = (path: string): boolean => /\.onnx$/i.test(path);

/**
 * The models among the paths of files, sorted: ONNX files, folders with config.json and safetensors, and pipelines, whose
 * parts are none of their own.
 */
export function modelsAmong(paths: readonly string[]): string[] {
  const pipelines = paths.filter((p) => basename(p) === PIPELINE_INDEX).map((p) => dirname(p));
  const isPart = (path: string) => pipelines.some((folder) => path.startsWith(folder + sep));
  const described = new Set(paths.filter((p) => basename(p) === MODEL_CONFIG).map((p) => dirname(p)));
  const folders = paths.filter((p) => WEIGHTS.test(p)).map((p) => dirname(p));
  const found = [...paths.filter(isOnnx), ...folders.filter((folder) => described.has(folder))];
  return [...new Set([...found.filter((path) => !isPart(path)), ...pipelines])].sort();
}
