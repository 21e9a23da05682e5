import type { LayerAdapter } from '../adapters/targets/select';
import { isSaved } from '../adapters/targets/saved-modules';
import { AuroraError } from '../base/errors';
import { pytorchPathOf } from '../graph/layers/linear';
import type { AdapterFolder } from './adapter-folder';
import { misfit, type ModuleTensors, take } from './take';

/** Modules of an adapter's file by their paths there. */
export type Modules = ReadonlyMap<string, ModuleTensors>;

/** The names in the configuration by which modules of the file were saved; a module's path if there is none. */
export function savedNames({ config }: AdapterFolder, paths: readonly string[]): string[] {
  const { modules_to_save: given } = config;
  const names = Array.isArray(given) ? given.filter((name) => typeof name === 'string') : [];
  const known = names.filter((name) => paths.some((path) => isSaved(path, [name])));
  return [...known, ...paths.filter((path) => !isSaved(path, known))];
}

/** @throws AuroraError 'adapter' if the file and the model do not have the same modules to save */
export function takeSaved(
  folder: string,
  saved: Modules,
  adapters: readonly LayerAdapter[],
): Map<string, Float32Array> {
  const layers = adapters.filter((a) => a.beside === 'module');
  const left = new Map(saved);
  const values = new Map<string, Float32Array>();
  for (const adapter of layers) {
    const { layer } = adapter;
    const path = [pytorchPathOf(layer), layer.path].find((p) => saved.has(p));
    if (path === undefined) throw misfit(`${folder} has no weight of ${layer.path}, which is saved whole.`);
    take(folder, path, saved.get(path)!, adapter).forEach((data, name) => values.set(name, data));
    left.delete(path);
  }
  const [more] = left.keys();
  if (more !== undefined)
    throw new AuroraError(
      'adapter',
      `${folder} has ${more}, which was saved whole, but the model has no such layer before its output.`,
      'If it is a layer of a head, use a model folder with this head, and set task.headWeights to "model". Otherwise the adapter belongs to another model.',
    );
  return values;
}

/** The trained rows of the embedding; the file names it by its path. */
export function takeRows(
  folder: string,
  rows: Modules,
  adapters: readonly LayerAdapter[],
): Map<string, Float32Array> {
  const adapter = adapters.find((a) => 'tokenIndices' in a.spec && a.layer.isEmbedding);
  const [[path, own] = []] = rows;
  if (path === undefined && adapter === undefined) return new Map();
  if (path === undefined || own === undefined || rows.size > 1)
    throw misfit(`${folder} must have the trained tokens of one embedding, but has those of ${rows.size}.`);
  if (adapter === undefined || !`.${path}`.endsWith(`.${adapter.layer.path}`))
    throw misfit(
      `${folder} has trained tokens of ${path}, which is not the embedding of the model's tokens.`,
    );
  const alone = adapter.tensors.map((t) => ({ ...t, peftName: ROWS }));
  return take(folder, path, own, { ...adapter, tensors: alone });
}

/** The end of its key, without the wrapper that it has beside another method. */
export const ROWS = 'trainable_tokens_delta';
