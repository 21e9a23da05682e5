import { replaceFile, writeAll } from '../../files/atomic';
import { isFileRef, type Graph, type Tensor } from '../model';
import type { ExternalData } from '../onnx/tensor';
import { readTensorBytes } from '../values';

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
export function writeDataFile(
  graph: Graph,
  path: string,
  location: string,
): ReadonlyMap<Tensor, ExternalData> {
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
