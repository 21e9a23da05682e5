import { closeSync, mkdirSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { diskError } from '../../files/atomic';
import { isHeaderEntry } from '../../graph/file/safetensors';

/** A file whose bytes can be had in parts. */
export interface RangedFile {
  /** In the repository, with forward slashes. */
  path: string;
  size: number;
}

/** Reads the bytes of a file from `start` up to, not including, `end`. */
export type ReadRange = (path: string, start: number, end: number) => Promise<Uint8Array>;

/** The texts that a model's structure depends on; preprocessor_config.json has the size of its images. */
export const isStructure = (path: string): boolean =>
  /^(config|preprocessor_config|model_index)\.json$|\/(config|scheduler_config|tokenizer_config)\.json$|\.safetensors\.index\.json$/.test(
    path,
  );

/** The size that most headers fit into: BERT's takes 20 kB. */
const FIRST = 64 * 1024;
/** The limit of the reader of headers. */
const MOST_HEADER = 16_000_000;
/** config.json, and the index of a model in many files. */
const MOST_TEXT = 16_000_000;

/**
 * Writes a model's folder as it will be after the download, with the texts as they are and the weights as empty files of
 * the right size with the right header. On most file systems, these take no space.
 *
 * @param texts files that are read as a whole (`isStructure`)
 * @param weights safetensors files
 * @param folder an empty one
 * @throws AuroraError 'model' if a header is too long, 'disk' if such files do not fit on the disk
 */
export async function writeHeadersOnly(
  folder: string,
  { texts, weights }: { texts: readonly RangedFile[]; weights: readonly RangedFile[] },
  read: ReadRange,
): Promise<void> {
  for (const { path, size } of texts) {
    if (size > MOST_TEXT) throw tooLong(path, size);
    writeFileSync(placeOf(folder, path), size === 0 ? '' : await read(path, 0, size));
  }
  const tensors: PlacedTensor[] = [];
  for (const file of weights) tensors.push(...(await writeHeader(placeOf(folder, file.path), file, read)));
  for (const { path, start, stop } of comparedOf(tensors))
    writeAt(placeOf(folder, path), await read(path, start, stop), start);
}

/** A tensor, and where its bytes are in its file. */
interface PlacedTensor {
  path: string;
  name: string;
  /** A key that is equal for tensors that are alike. */
  form: string;
  start: number;
  stop: number;
}

async function writeHeader(to: string, { path, size }: RangedFile, read: ReadRange): Promise<PlacedTensor[]> {
  const first = Buffer.from(await read(path, 0, Math.min(size, FIRST)));
  const length = first.length < 8 ? 0 : Number(first.readBigUInt64LE());
  if (length > MOST_HEADER) throw tooLong(path, length);
  const end = Math.min(size, 8 + length);
  const rest = end > first.length ? await read(path, first.length, end) : new Uint8Array();
  const header = Buffer.concat([first.subarray(0, end), rest]);
  writeFileSync(to, header, { flag: 'wx' });
  try {
    truncateSync(to, size);
  } catch (e) {
    // A disk on which it does take space, or a size that no disk has.
    throw diskError(to, e);
  }
  return Object.entries(parsed(header.subarray(8))).flatMap(([name, entry]) => {
    if (name === '__metadata__' || !isHeaderEntry(entry)) return [];
    const [start, stop] = entry.data_offsets.map((offset) => end + offset);
    return stop > size ? [] : [{ path, name, form: `${entry.dtype} ${entry.shape.join()}`, start, stop }];
  });
}

/** The number of values that are compared of an output that may be tied to the embedding, and of the embedding. */
const COMPARED = 4096;
/** Models have at most four like it; each takes a request. */
const MOST_COMPARED = 8;
const HEAD = /(^|\.)(lm_head|embed_out)\.weight$/;

/**
 * A language model's head that is stored beside its embedding may have the same values, which decides whether the two
 * are one weight: the beginnings of both show it.
 */
function comparedOf(tensors: readonly PlacedTensor[]): PlacedTensor[] {
  const head = tensors.find(({ name }) => HEAD.test(name));
  return tensors
    .filter(({ form }) => form === head?.form)
    .slice(0, MOST_COMPARED)
    .map((tensor) => ({ ...tensor, stop: Math.min(tensor.stop, tensor.start + COMPARED) }));
}

function writeAt(path: string, bytes: Uint8Array, at: number): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, bytes, 0, bytes.length, at);
  } finally {
    closeSync(file);
  }
}

function parsed(header: Buffer): object {
  try {
    const value: unknown = JSON.parse(header.toString('utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    // The reader of the folder reports mistakes.
    return {};
  }
}

function placeOf(folder: string, path: string): string {
  const place = join(folder, ...path.split('/'));
  mkdirSync(dirname(place), { recursive: true });
  return place;
}

const tooLong = (path: string, bytes: number): AuroraError =>
  new AuroraError('model', `${path} would have ${bytes} bytes of text, more than any model needs here.`);
