import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { diskError, replaceFile, writeAll, writeAtomic } from '../../files/atomic';
import { containedTarget } from '../../files/contained';
import { type Graph, isFileRef, type Model, type Tensor } from '../model';
import { encodeModel } from '../onnx/encode';
import { type ExternalData, externalOf } from '../onnx/tensor';
import { readTensorBytes } from '../values';
import { placeWeights, sameFile } from './place-weights';

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

/**
 * Saves a model in which some weights differ from the loaded file, in that file's layout: data files are copied, and
 * each weight keeps its position. A model without data files stays a single file.
 *
 * @param original as loaded
 * @param path in a folder that has no such files yet
 * @param changed initializers of `model` whose values differ from `original`
 */
export function saveChanged(model: Model, original: Model, path: string, changed: ReadonlySet<Tensor>): void {
  const tensors = [...original.graph.initializers.values()];
  const outside = placesOf(tensors);
  const [first] = outside.values();
  if (!first) return saveModel(model, path);
  const files = new Map<string, DataFile>();
  try {
    for (const t of tensors) {
      const at = outside.get(t.name);
      if (!at || !isFileRef(t.data) || files.has(at.location)) continue;
      files.set(at.location, new DataFile(t.data.path, targetOf(dirname(path), at.location)));
    }
    const places = new Map<Tensor, ExternalData>();
    for (const t of model.graph.initializers.values()) {
      const before = outside.get(t.name);
      if (!changed.has(t)) {
        if (before) places.set(t, before);
      } else if (before && !overlaps(before, t.name, outside)) {
        files.get(before.location)!.write(t, before.offset);
        places.set(t, before);
      } else if (before || isNewAndLarge(t, original)) {
        const { location } = before ?? first;
        places.set(t, { location, ...files.get(location)!.append(t) });
      }
    }
    for (const file of files.values()) file.close();
    writeAtomic(
      path,
      encodeModel(model, (t) => places.get(t)),
    );
  } catch (e) {
    for (const file of files.values()) file.close();
    throw diskError(path, e);
  }
}

/** Data inside the model file stays there. */
const isNewAndLarge = (t: Tensor, original: Model): boolean =>
  !original.graph.initializers.has(t.name) && sizeOf(t) >= EXTERNAL_FROM;

interface Place extends ExternalData {
  length: number;
}

/**
 * The places of weights outside their model file, by name; each data file has one name here, regardless of its
 * spelling.
 */
function placesOf(tensors: readonly Tensor[]): Map<string, Place> {
  const spelled = new Map<string, string>();
  const places = new Map<string, Place>();
  for (const t of tensors) {
    const external = externalOf.get(t);
    if (!external || !isFileRef(t.data)) continue;
    const { path, length } = t.data;
    const location = spelled.get(path) ?? external.location;
    spelled.set(path, location);
    // The loader has determined the length if the file does not give it.
    places.set(t.name, { ...external, location, length });
  }
  return places;
}

function targetOf(folder: string, location: string): string {
  const target = containedTarget(folder, location);
  if (target !== undefined) return target;
  throw new AuroraError(
    'externalOutside',
    `The model stores weights in "${location}", which would be written outside ${folder}.`,
    'Move the data file into the model’s folder and correct the model.',
  );
}

/** True if another weight uses the same bytes: tied by location. */
const overlaps = (a: Place, name: string, all: ReadonlyMap<string, Place>): boolean =>
  [...all].some(
    ([other, b]) =>
      other !== name &&
      a.location === b.location &&
      a.offset < b.offset + b.length &&
      b.offset < a.offset + a.length,
  );

/** A copy of a data file, to be written to. */
class DataFile {
  private readonly fd: number;
  private end: number;
  private open = true;

  constructor(from: string, to: string) {
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    // The copy of a read-only file is read-only too.
    chmodSync(to, 0o644);
    this.fd = openSync(to, 'r+');
    this.end = fstatSync(this.fd).size;
  }

  write(t: Tensor, offset: number): void {
    writeAll(this.fd, readTensorBytes(t), offset);
  }

  append(t: Tensor): { offset: number; length: number } {
    const bytes = readTensorBytes(t);
    const offset = padded(this.end);
    writeAll(this.fd, bytes, offset);
    this.end = offset + bytes.byteLength;
    return { offset, length: bytes.byteLength };
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    fsyncSync(this.fd);
    closeSync(this.fd);
  }
}

/** Smaller tensors stay in the model file, where the runtime's shape inference can read them. */
export const EXTERNAL_FROM = 1024;

/** Aligned for every vector unit that may read a weight in place. */
const ALIGNMENT = 64;

/** The next aligned offset for a weight. */
export const padded = (end: number): number => Math.ceil(end / ALIGNMENT) * ALIGNMENT;

const CHUNK = 1 << 26;

/** Bytes of a tensor's values. */
export const sizeOf = (t: Tensor): number => (isFileRef(t.data) ? t.data.length : t.data.byteLength);

/** Bytes of all initializers. */
export const weightBytes = ({ initializers }: Graph): number =>
  [...initializers.values()].reduce((sum, t) => sum + sizeOf(t), 0);

/**
 * Writes the weights of a graph into one data file, piece by piece, and moves it into place once it is complete.
 *
 * @param location name of the data file, as the model beside it refers to it
 * @returns the location of each tensor in the file
 */
function writeDataFile(graph: Graph, path: string, location: string): ReadonlyMap<Tensor, ExternalData> {
  const places = new Map<Tensor, ExternalData & { length: number }>();
  let end = 0;
  for (const t of graph.initializers.values()) {
    const length = sizeOf(t);
    if (length < EXTERNAL_FROM) continue;
    const offset = padded(end);
    places.set(t, { location, offset, length });
    end = offset + length;
  }
  replaceFile(path, (fd) => {
    let at = 0;
    for (const [t, { offset, length }] of places) {
      writeAll(fd, new Uint8Array(offset - at));
      copyTensor(fd, t);
      at = offset + length;
    }
  });
  return places;
}

/** Writes a tensor's bytes, piece by piece. */
export function copyTensor(fd: number, t: Tensor): void {
  if (!isFileRef(t.data) || t.data.length <= CHUNK) return writeAll(fd, readTensorBytes(t));
  const { path, offset, length } = t.data;
  for (let done = 0; done < length; done += CHUNK) {
    const piece = { path, offset: offset + done, length: Math.min(CHUNK, length - done) };
    writeAll(fd, readTensorBytes({ ...t, data: piece }));
  }
}
