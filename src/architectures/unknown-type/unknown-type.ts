import { dirname } from 'node:path';
import { AuroraError } from '../../base/errors';
import { MODEL_NAMES } from '../families/model-names';
import type { Config } from '../folder/config';
import { typeKey, typeOf } from '../folder/type';
import { type AnyKind, kindOfModel } from './kind-of-model';
import { nearestFamilies } from './nearest-families';
import { exportTask, OPTIMUM } from './optimum-exports';

/** The section of docs/models.md about such models. */
const SECTION = 'docs/models.md, "Models of other types"';

/**
 * The error for a model that no family writes: with the nearest families, and whether Optimum exports it to ONNX, with the
 * command.
 *
 * @param config of the folder, in which nothing but its type has been read
 */
export function unknownType(config: Config): AuroraError {
  const type = typeOf(config);
  const kind = kindOfModel(config);
  const code = config.has('auto_map') ? ' Its own code (auto_map) is never run.' : '';
  return new AuroraError(
    'model',
    `${config.path}: ${typeKey(config)} is ${JSON.stringify(type.slice(0, 60))}, which is not supported.${code}`,
    `${nearestSentence(type, kind, config)} ${exportSentence(type, kind, dirname(config.path))}`,
  );
}

/** The error for a config.json without a type, as of some early models: with the family whose settings it has. */
export function missingType(config: Config): AuroraError {
  const [like] = nearestFamilies('', kindOfModel(config), config);
  return new AuroraError(
    'model',
    `${config.path} has no model_type.`,
    like === undefined
      ? 'Download the config.json of this model again.'
      : `It has the settings of "${like}" (${nameOf(like)}): if it is one, copy the folder, and add "model_type": "${like}" there.`,
  );
}

function nearestSentence(type: string, kind: AnyKind | undefined, config: Config): string {
  const families = nearestFamilies(type, kind, config);
  if (families.length === 0) return 'No supported model type is similar.';
  const listed = families.map((family) => `"${family}" (${nameOf(family)})`);
  return `Similar and supported: ${listed.join('; ')}.`;
}

/** The names of a family's models, without links. */
const nameOf = (type: string): string =>
  Object.values(MODEL_NAMES)
    .flatMap((names) => names[type] ?? [])
    .join()
    .replace(/ \(\[.*?\]\(.*?\)\)/, '');

function exportSentence(type: string, kind: AnyKind | undefined, folder: string): string {
  if (kind === 'audio') return 'AuroRA Lab trains models of texts and images only.';
  if (kind === 'diffusion') return 'docs/models.md, "Pipelines of diffusers", lists those that can be used.';
  const task = exportTask(type);
  if (!task)
    return `${OPTIMUM} does not export it for any task that can be trained; ${SECTION}, lists what an ONNX file needs.`;
  const path = /^[\w./:@+~-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", "'\\''")}'`;
  return `Or export it to ONNX (${SECTION}): optimum-cli export onnx --model ${path} --task ${task} OUT`;
}
