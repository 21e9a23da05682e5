import { closeSync, readSync } from 'node:fs';
import { openInput, type InputUse } from '../../files/inputs/open';
import { readCopiedRow, type CopiedRow, fieldsIn } from '../copied-rows';
import { decodeImage, readImage, formatOf } from './decode-image';
import type { RgbImage } from './image';

/**
 * The place of an image: in a file, encoded in memory under the name that errors call it, or decoded and already of the
 * size that the model reads.
 */
export type ImageSource = FileImage | EncodedImage | CopiedImage | { fitted: RgbImage };

export interface FileImage {
  path: string;
  /** The data file that names it. */
  of?: string;
}

/** In the copy of a row of a large Parquet file. */
interface CopiedImage {
  copied: CopiedRow;
  column: string;
}

export interface EncodedImage {
  bytes: Uint8Array;
  name: string;
}

/** @throws AuroraError 'data' as `readImage` and `decodeImage`, 'inputs' as `readCopiedRow` */
export async function openImage(source: Exclude<ImageSource, { fitted: RgbImage }>): Promise<RgbImage> {
  if ('path' in source) return readImage(source.path, useOf(source));
  const { bytes, name } = 'copied' in source ? encodedIn(source) : source;
  return decodeImage(bytes, name);
}

function encodedIn({ copied, column }: CopiedImage): EncodedImage {
  const fields = fieldsIn(readCopiedRow(copied)) as Record<
    string,
    Uint8Array | { bytes: Uint8Array; path?: unknown }
  >;
  const value = fields[column]!;
  if (value instanceof Uint8Array) return { bytes: value, name: copied.place };
  return {
    bytes: value.bytes,
    name: typeof value.path === 'string' && value.path !== '' ? value.path : copied.place,
  };
}

/** The name of an image in errors. */
export function nameOf(source: ImageSource): string {
  if ('path' in source) return source.path;
  if ('copied' in source) return source.copied.place;
  return 'name' in source ? source.name : 'An image';
}

const SIGNATURE_BYTES = 16;

/**
 * The reason why an image cannot be read, by its first bytes alone: a data set may have very many. Undefined if it
 * seems whole.
 */
export function imageProblem(source: ImageSource): string | undefined {
  // The index knows the content of a copy.
  if ('fitted' in source || 'copied' in source) return undefined;
  if ('bytes' in source) return formatOf(source.bytes) === undefined ? NOT_AN_IMAGE : undefined;
  let start: Uint8Array;
  try {
    start = startOf(source);
  } catch (e) {
    const { code, message } = e as NodeJS.ErrnoException;
    return code === 'ENOENT'
      ? `the image ${source.path} does not exist`
      : `the image ${source.path} cannot be read: ${message}`;
  }
  return formatOf(start) === undefined ? `${source.path} is not ${FORMATS}` : undefined;
}

/** An image without a data file is in a folder, which is an input as a whole. */
export const useOf = ({ of }: FileImage): InputUse => (of === undefined ? 'data' : { imageOf: of });

const FORMATS = 'a JPEG, PNG, WebP, GIF, TIFF or AVIF image';
/** The reason why encoded bytes cannot be used. */
export const NOT_AN_IMAGE = `the image is not ${FORMATS}`;

function startOf(image: FileImage): Uint8Array {
  const file = openInput(image.path, useOf(image));
  try {
    const start = new Uint8Array(SIGNATURE_BYTES);
    return start.subarray(0, readSync(file, start, 0, SIGNATURE_BYTES, 0));
  } finally {
    closeSync(file);
  }
}
