import { existsSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { weightBytes, writeDataFile } from './data-file';
import { AuroraError } from '../../base/errors';
import { writeAtomic, diskError } from '../../files/atomic';
import { placeWeights, sameFile } from './place-weights';
import { isFileRef, type Model } from '../model';
import { encodeModel } from '../onnx/encode';

/** Below protobuf's 2 GiB limit, with space for the memory that encoding needs besides the weights. */
export const INLINE_BYTES = 1.5 * 2 ** 30;

/**
 * Saves a model for others to use: as one file or, if its weights exceed `inlineBytes`, with the weights in
 * `<path>.data`. The data file is written first, so that a model never exists without its weights.
 *
 * @throws AuroraError 'usage' if that would overwrite the file the weights are read from
 */
export function saveModel(model: Model, path: string, inlineBytes = INLINE_BYTES): void {
  const dataPath = `${path}.data`;
  requireOther(model, [path, dataPath]);
  if (weightBytes(model.graph) <= inlineBytes) return writeAtomic(path, encodeModel(model));
  const places = writeDataFile(model.graph, dataPath, basename(dataPath));
  writeAtomic(
    path,
    encodeModel(model, (t) => places.get(t)),
  );
}

function requireOther(model: Model, targets: string[]): void {
  const tensors = [...model.graph.initializers.values()];
  const sources = new Set(tensors.flatMap(({ data }) => (isFileRef(data) ? [data.path] : [])));
  for (const target of targets.filter((t) => existsSync(t)))
    for (const source of sources)
      if (existsSync(source) && sameFile(source, target))
        throw new AuroraError(
          'usage',
          `${target} contains weights of the model that is being saved and cannot be overwritten.`,
          'Choose another file.',
        );
}

/**
 * Saves a graph of a few kilobytes that uses the weights in the user's own file. The weights get a name next to the
 * graph, since ONNX Runtime rejects paths that leave the graph's folder. Same bits, and no second copy on disk if the
 * file system can avoid it.
 */
export function saveByReference(model: Model, folder: string, name: string): string {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (e) {
    throw diskError(folder, e);
  }
  const linked = new Map<string, string>();
  const bytes = encodeModel(model, (t) => {
    if (!isFileRef(t.data)) return undefined;
    let location = linked.get(t.data.path);
    if (!location) {
      location = `${linked.size}-${basename(t.data.path)}`;
      placeWeights(t.data.path, join(folder, location));
      linked.set(t.data.path, location);
    }
    return { location, offset: t.data.offset, length: t.data.length };
  });
  const path = join(folder, name);
  writeAtomic(path, bytes);
  return path;
}
