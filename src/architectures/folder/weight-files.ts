import { closeSync, fstatSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { locate } from '../../files/contained';
import { inputExists, openInput, readInput } from '../../files/inputs/open';
import { isHeaderEntry } from '../../graph/file/safetensors';
import type { FileRef } from '../../graph/model';
import type { PackedWeight } from './few-bits/packed-weight';
import { requireRegular } from './regular-file';

const ONE_FILE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/**
 * The names of a model's weights: in transformers and in diffusers, in float32 and, where there is nothing else, in
 * float16.
 */
const NAMES: readonly { file: string; index: string }[] = ['', 'fp16'].flatMap((variant) =>
  ['model', 'diffusion_pytorch_model'].map((name) => ({
    file: [name, variant, 'safetensors'].filter((part) => part !== '').join('.'),
    index: [name, 'safetensors.index', variant, 'json'].filter((part) => part !== '').join('.'),
  })),
);
/** A hundred bytes for each of a hundred thousand weights. */
const MOST_INDEX_BYTES = 16_000_000;

/** The weights of a folder. */
export interface StoredWeights {
  tensors: ReadonlyMap<string, StoredTensor>;
  /** The files that were read to find them: the safetensors files, and the index of several. */
  files: string[];
  /** The safetensors files by their names in the folder: in the hub's cache, those are links. */
  shards: ReadonlyMap<string, string>;
  /** The name of the index; undefined if there is one file. */
  index?: string;
}

/** True if a folder has weights that can be read. */
export const hasWeights = (folder: string): boolean =>
  NAMES.some(({ file, index }) => isThere(folder, file) || isThere(folder, index));

const isThere = (folder: string, name: string): boolean => inputExists(join(folder, name), 'model-data');

/**
 * The tensors of a model folder, from `model.safetensors` or from the files that `model.safetensors.index.json` lists, or
 * from those with diffusers' names. Only their headers are read.
 *
 * @throws AuroraError 'externalMissing' for a file that is missing, 'externalOutside' for one outside of the folder
 */
export function readWeights(folder: string): StoredWeights {
  const found = NAMES.find(({ file, index }) => isThere(folder, file) || isThere(folder, index));
  if (!found) throw noWeights(folder);
  if (isThere(folder, found.file)) {
    const path = weightFile(folder, found.file, 'The model');
    return { tensors: readHeader(path), files: [path], shards: new Map([[found.file, path]]) };
  }
  const index = join(folder, found.index);
  const places = readIndex(index);
  const headers = new Map<string, Map<string, StoredTensor>>();
  const shards = new Map<string, string>();
  const tensors = new Map<string, StoredTensor>();
  for (const [name, file] of places) {
    let header = headers.get(file);
    if (!header) {
      const path = weightFile(folder, file, index);
      shards.set(file, path);
      headers.set(file, (header = readHeader(path)));
    }
    const tensor = header.get(name);
    if (!tensor)
      throw new AuroraError(
        'model',
        `${index} places the weight ${name} in ${file}, which does not have it.`,
        `Download ${file} and ${found.index} again, from the same revision.`,
      );
    tensors.set(name, tensor);
  }
  return { tensors, files: [index, ...shards.values()], shards, index: found.index };
}

function weightFile(folder: string, name: string, needs: string): string {
  // In the hub's cache, the name is a link: where it leads is an input, too.
  isThere(folder, name);
  const found = locate(folder, name);
  if (found.is === 'inside') return found.real;
  if (found.is === 'missing')
    throw new AuroraError(
      'externalMissing',
      `${needs} needs the weights file "${name}", which is not in ${folder}.`,
      'Download the missing file into that folder.',
    );
  throw new AuroraError(
    'externalOutside',
    `${needs} needs the weights file "${name}", which is outside of ${folder}.`,
    'Put a copy of the file into that folder: a model may only read data from its own folder.',
  );
}

function readIndex(path: string): [name: string, file: string][] {
  const fail = (cause?: unknown) =>
    new AuroraError('model', `${path} is not an index of weights.`, 'Download it again.', { cause });
  let value: unknown;
  try {
    requireRegular(path, MOST_INDEX_BYTES);
    value = JSON.parse(readInput(path, 'model-data').toString('utf8'));
  } catch (e) {
    if (e instanceof AuroraError) throw e;
    throw fail(e);
  }
  const { weight_map: map } = (value ?? {}) as { weight_map?: unknown };
  if (typeof map !== 'object' || map === null) throw fail();
  const places = Object.entries(map as Record<string, unknown>);
  if (places.length === 0 || !places.every((p): p is [string, string] => typeof p[1] === 'string'))
    throw fail();
  return places;
}

/** Weights that Python pickles can run code when they are loaded. */
const PICKLED = /^(?:pytorch_model.*\.bin|.*\.pth?)$/;

function noWeights(folder: string): AuroraError {
  const names = readdirSync(folder);
  const pickled = names.find((name) => PICKLED.test(name));
  if (pickled !== undefined)
    return new AuroraError(
      'model',
      `${folder} has its weights only in ${pickled}, a format that can run code when it is loaded.`,
      `Download ${ONE_FILE} (the hub has it for most models, sometimes in another revision), or save the model again with save_pretrained of a current transformers.`,
    );
  const others = names.filter((name) => name.endsWith('.safetensors'));
  return new AuroraError(
    'externalMissing',
    `${folder} has neither ${ONE_FILE} nor ${INDEX}${others.length > 0 ? `, only ${others.slice(0, 3).join(', ')}` : ''}.`,
    `Download the model's weights as safetensors into that folder${others.length > 0 ? `, or rename them to ${ONE_FILE} if they are the whole model` : ''}.`,
  );
}

/** A tensor of a safetensors file, with its bytes left there. */
export interface StoredTensor {
  name: string;
  /** The type as in the header: F32, BF16, I64 … */
  dtype: string;
  dims: number[];
  data: FileRef;
  /** The stored tensor that this is a part of, if its name is that of a larger one. */
  whole?: StoredTensor;
  /** The tensors that store a weight of few bits, and their reading. Then the type is the name of the layout. */
  packed?: { stored: readonly StoredTensor[]; as: (dims: readonly number[]) => PackedWeight };
}

/** Below the format's own limit of 100 MB, which would take a gigabyte to parse: ten thousand tensors need one or two. */
const MOST_BYTES = 16_000_000;

/**
 * The tensors of a safetensors file, by name, from its header alone: a little-endian 64-bit length, then so many bytes of
 * JSON. Each tensor's bytes must lie in the file.
 * https://huggingface.co/docs/safetensors (format section)
 *
 * @throws AuroraError 'model', or 'truncated' if the file ends too early
 */
export function readHeader(path: string): Map<string, StoredTensor> {
  const fail = (why: string) =>
    new AuroraError('model', `${path} is not a valid safetensors file: ${why}.`, 'Download it again.');
  requireRegular(path);
  const file = openInput(path, 'model-data');
  try {
    const { size } = fstatSync(file);
    if (size < 8) throw fail(`it has ${size} bytes`);
    const length = Number(readAt(file, 0, 8).readBigUInt64LE());
    if (length > MOST_BYTES) throw fail(`its header would have ${length} bytes`);
    if (8 + length > size)
      throw truncated(path, `its header ends at byte ${8 + length}, the file at ${size}`);
    const entries = parsed(readAt(file, 8, length));
    if (!entries) throw fail('its header is not a JSON object');
    const tensors = new Map<string, StoredTensor>();
    for (const [name, entry] of Object.entries(entries)) {
      if (name === '__metadata__') continue;
      if (!isHeaderEntry(entry)) throw fail(`the header's entry for ${name} is malformed`);
      const [from, to] = entry.data_offsets;
      const start = 8 + length;
      if (start + to > size)
        throw truncated(path, `the weight ${name} ends at byte ${start + to}, the file at ${size}`);
      const data = { path, offset: start + from, length: to - from };
      tensors.set(name, { name, dtype: entry.dtype, dims: entry.shape, data });
    }
    return tensors;
  } finally {
    closeSync(file);
  }
}

const truncated = (path: string, why: string): AuroraError =>
  new AuroraError('truncated', `${path} is truncated: ${why}.`, 'Download it again.');

function readAt(file: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length;) {
    const read = readSync(file, bytes, done, length - done, at + done);
    if (read === 0) break;
    done += read;
  }
  return bytes;
}

function parsed(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // The caller reports it.
  }
  return undefined;
}
