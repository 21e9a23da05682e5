import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statfsSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { bytes } from '../../base/number-text';
import { replaceFile, writeAll } from '../../files/atomic';
import { cacheFolder } from '../../files/cache-folder';
import { hashFileNow } from '../../files/hash';
import { removeAbandoned } from '../../files/temporary';
import { fromBfloat16, fromHalf } from '../../graph/number-formats';
import { byteSize } from '../../graph/dtype';
import { elementCount, type FileRef, type Tensor } from '../../graph/model';
import { readFileRef } from '../../graph/values';
import type { StoredTensor } from './weight-files';

/** Increased whenever an older program would have written something else. */
const VERSION = 2;
const NAME = /^[0-9a-f]{64}\.weights$/;
/** The most files that are kept: beyond it, unused files are removed, the longest unused first. */
const MOST_FILES = 16;
const MOST_BYTES = 2 ** 36;
/** A file that was used in this time may be about to be read. */
const RECENT_MS = 3_600_000;
/** Pages of every system: runtimes map weights into memory. */
const ALIGNMENT = 2 ** 16;
/** Values that are converted at a time. */
const PIECE = 2 ** 22;

const DECODERS: ReadonlyMap<string, (bits: number) => number> = new Map([
  ['F16', fromHalf],
  ['BF16', fromBfloat16],
]);

/** A tensor that has some of another's bytes. */
export interface View {
  tensor: Tensor;
  start: number;
  length: number;
}

/** A tensor whose bytes are made of others. */
export interface Conversion {
  tensor: Tensor;
  /** Other tensors with the same bytes, or some of them. */
  views?: readonly View[];
  /** The tensors in the files that its bytes depend on. */
  from: readonly StoredTensor[];
  /** The name of the conversion, with all settings that change its result. */
  as: string;
  /** Makes the bytes, some at a time. */
  write: () => Iterable<Uint8Array>;
}

/** A tensor in float32 of one that is stored as F16 or BF16. */
export const floatConversion = ({
  tensor,
  stored,
}: {
  tensor: Tensor;
  stored: StoredTensor;
}): Conversion => ({
  tensor,
  from: [stored],
  as: 'float32',
  write: () => inFloat32(stored),
});

/**
 * Lets tensors refer to converted copies of their values, in one file in the cache that is named after the content of their
 * files. It is written once, and whole.
 *
 * @throws AuroraError 'disk' if the disk is full
 */
export function convertWeights(
  conversions: readonly Conversion[],
  folder = join(cacheFolder(), 'weights'),
): void {
  if (conversions.length === 0) return;
  const path = join(folder, `${keyOf(conversions)}.weights`);
  let end = 0;
  for (const { tensor, views = [] } of conversions) {
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    const length = elementCount(tensor.dims) * byteSize(tensor.dtype)!;
    tensor.data = { path, offset, length };
    for (const view of views) view.tensor.data = { path, offset: offset + view.start, length: view.length };
    end = offset + length;
  }
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.size === end) return utimesSync(path, new Date(), new Date());
  mkdirSync(folder, { recursive: true });
  removeAbandoned(folder);
  requireSpace(folder, end);
  replaceFile(path, (file) => {
    let at = 0;
    for (const { tensor, write } of conversions) {
      const { offset, length } = tensor.data as FileRef;
      writeAll(file, new Uint8Array(offset - at));
      for (const bytes of write()) writeAll(file, bytes);
      at = offset + length;
    }
  });
  tidy(folder);
}

function keyOf(conversions: readonly Conversion[]): string {
  const files = new Set(conversions.flatMap(({ from }) => from.map(({ data }) => data.path)));
  const sums = new Map([...files].map((path) => [path, hashFileNow(path)]));
  const parts = conversions.map(({ from, as }) => [
    as,
    from.map(({ name, dtype, dims, data }) => [name, dtype, dims, sums.get(data.path), data.offset]),
  ]);
  return createHash('sha256')
    .update(JSON.stringify([VERSION, parts]))
    .digest('hex');
}

function* inFloat32({ dtype, data }: StoredTensor): Generator<Uint8Array> {
  const decode = DECODERS.get(dtype)!;
  // A table of all 65,536 values is faster than decoding each.
  const table = (tables[dtype] ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => decode(bits)));
  for (let done = 0; done < data.length; done += 2 * PIECE) {
    const length = Math.min(2 * PIECE, data.length - done);
    const bytes = readFileRef({ ...data, offset: data.offset + done, length });
    const bits = new Uint16Array(bytes.buffer, 0, length / 2);
    const values = new Float32Array(bits.length);
    for (let i = 0; i < bits.length; i++) values[i] = table[bits[i]];
    yield new Uint8Array(values.buffer);
  }
}

const tables: Record<string, Float32Array> = {};

function requireSpace(folder: string, needed: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize > needed) return;
  throw new AuroraError(
    'disk',
    `The model's converted weights need ${bytes(needed)} in ${folder}, where ${bytes(bavail * bsize)} are free.`,
    'Free some space, or use a model that is published in float32.',
  );
}

function tidy(folder: string): void {
  const found = readdirSync(folder)
    .filter((name) => NAME.test(name))
    .flatMap((name) => {
      const path = join(folder, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats ? [{ path, bytes: stats.size, used: stats.mtimeMs }] : [];
    })
    .sort((a, b) => b.used - a.used);
  let all = 0;
  found.forEach(({ path, bytes, used }, i) => {
    all += bytes;
    if (i > 0 && Date.now() - used > RECENT_MS && (i >= MOST_FILES || all > MOST_BYTES))
      rmSync(path, { force: true });
  });
}
