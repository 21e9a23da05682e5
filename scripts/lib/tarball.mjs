import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const BLOCK = 512;

/**
 * The files of an npm tarball by their path in the package (POSIX ustar and pax; needs no tar program and writes
 * nothing to disk).
 * @param {string} path
 * @returns {Map<string, Buffer>}
 */
export function readTarball(path) {
  const tar = gunzipSync(readFileSync(path));
  const files = new Map();
  let longName;
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0;) {
    const header = tar.subarray(at, at + BLOCK);
    const size = parseInt(text(header, 124, 12), 8);
    const data = tar.subarray(at + BLOCK, at + BLOCK + size);
    const type = text(header, 156, 1);
    // A pax header names the entry after it if the name is too long for ustar.
    if (type === 'x') longName = /\d+ path=(.*)\n/.exec(data.toString())?.[1];
    else {
      if (type === '0' || type === '') files.set(withoutRoot(longName ?? entryName(header)), data);
      longName = undefined;
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

/** npm packs everything under one folder, usually "package". */
const withoutRoot = (name) => name.slice(name.indexOf('/') + 1);

function entryName(header) {
  const prefix = text(header, 345, 155);
  return (prefix && `${prefix}/`) + text(header, 0, 100);
}

function text(header, start, length) {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? length : end).toString();
}
