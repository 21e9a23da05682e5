import type { FileIdentity } from '../files/identity';
import type { InputRole } from '../protocol/events';
import { foundPath, storedPath } from './stored-spec';

/** A file that determines the results of a run. */
export interface InputFile {
  role: InputRole;
  /** The path as in the experiment; for a model's data file, the place where it was found. */
  path: string;
  /** The pattern of the experiment that it matches, if that names several files. */
  pattern?: string;
  /** Its reference, if it is in a cache of the hub: `aurora get RUN` fetches the same bytes on another machine. */
  hub?: string;
  /** Bytes; 0 if the file was missing. */
  size: number;
  /** Null if the file was looked for and not there, which also matters: it may be there later. */
  sha256: string | null;
  /** The file's identity when it was hashed, if any later change must show in it. */
  identity?: FileIdentity;
  /** The images of a data file that names some. */
  images?: ImageSet;
}

/** The images that a data file names, recorded together: there may be very many. */
export interface ImageSet {
  /**
   * One string each: the beginning of its SHA-256, or - if there was no file, and its path, relative to that of the
   * data.
   */
  files: string[];
  /** Bytes of all. */
  size: number;
  sha256: string;
  /** Their identity when they were hashed, if any later change must show in it. */
  identity?: FileIdentity;
}

/** An input as a record in this folder has it. */
export const storedInput = (folder: string, file: InputFile): InputFile =>
  withPath(file, (path) => storedPath(folder, path));

/** The opposite. @param was the folder of the record when it was written, as the record has it, which may be damaged */
export const foundInput = (folder: string, file: InputFile, was: unknown): InputFile =>
  withPath(file, (path) => foundPath(folder, path, typeof was === 'string' ? was : undefined));

const withPath = (file: InputFile, replaced: (path: string) => string): InputFile => ({
  ...file,
  path: replaced(file.path),
  pattern: file.pattern && replaced(file.pattern),
});

/** True if a value from a file is a record of an input. */
export const isInputFile = (value: unknown): boolean => {
  const { role, path, size, sha256, images } = (value ?? {}) as Partial<InputFile>;
  return (
    typeof role === 'string' &&
    typeof path === 'string' &&
    typeof size === 'number' &&
    (sha256 === null || typeof sha256 === 'string') &&
    (images === undefined || isImageSet(images))
  );
};

function isImageSet(value: unknown): value is ImageSet {
  const { files, size, sha256 } = (value ?? {}) as Partial<ImageSet>;
  return (
    Array.isArray(files) &&
    files.every((file: unknown) => typeof file === 'string' && file.indexOf(' ') > 0) &&
    typeof size === 'number' &&
    typeof sha256 === 'string'
  );
}
