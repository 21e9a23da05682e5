import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { EXTERNAL_FROM, padded, sizeOf } from './data-file';
import { diskError, writeAll, writeAtomic } from '../../files/atomic';
import { containedTarget } from '../../files/contained';
import { AuroraError } from '../../base/errors';
import { isFileRef, type Model, type Tensor } from '../model';
import { encodeModel } from '../onnx/encode';
import { externalOf, type ExternalData } from '../onnx/tensor';
import { saveModel } from './save';
import { readTensorBytes } from '../values';

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
