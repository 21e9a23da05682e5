import { dirname, resolve } from 'node:path';
import { isFolder } from '../../files/tree';
import { rowName, rowPlace } from '../../protocol/row-place';
import { unreadable } from '../../table/files';
import { imageFiles } from '../../table/image-files';
import type { Fields } from '../../table/records';
import type { ImageSource } from '../images/source';
import { refuseBadRows } from './bad-rows';
import { field, readRows, requireRows } from './rows';
import type { MarkedFormat, ReadOptions, Row, Rows } from './rows';

/** An image and its label; `text` is the image's name, as views show it. */
export interface ImageRow extends Row {
  image: ImageSource;
}

/**
 * Images with their labels: a folder with one folder for each label, as torchvision's ImageFolder reads it, or a data
 * file whose image column holds paths relative to it, encoded images, or the hub's structs of both (`bytes`, `path`).
 */
export const readImageRows = (path: string, options: ReadOptions): Promise<Rows<ImageRow, ImageRow[]>> =>
  isFolder(path) ? readFolder(path, options) : readRows(path, options, imageFormat(path));

const NO_IMAGE: ImageSource = { bytes: new Uint8Array(), name: '' };

/** @param path of the data file: paths of images are relative to it */
export const imageFormat = (path: string): MarkedFormat<ImageRow> => ({
  required: () => ['imageColumn', 'labelColumn'],
  rowOf: (fields, options) => imageRow(path, fields, options),
  placed: (row, parts) => withName(path, row, parts),
  marks: ({ label }) => [label],
  marked: ([label]) => ({ text: '', label: label!, image: NO_IMAGE }),
});

/** An encoded image without a name has that of its row. */
export function withName<R extends ImageRow>(path: string, row: R, parts: Rows['parts']): R {
  if (!('bytes' in row.image) || row.image.name !== '') return row;
  const name = rowName(path, row.line, parts);
  return { ...row, text: name, image: { ...row.image, name: rowPlace(path, row.line, parts) } };
}

async function readFolder(folder: string, { onBadRow }: ReadOptions): Promise<Rows<ImageRow, ImageRow[]>> {
  const result: Rows<ImageRow, ImageRow[]> = { rows: [], skipped: [] };
  const files = await imageFiles(folder).catch((cause) => {
    throw unreadable(folder, cause);
  });
  files.forEach((file, i) => {
    const line = i + 1;
    const end = file.indexOf('/');
    if (end < 0) {
      const reason = `${file} is in no folder, so it has no label`;
      result.skipped.push({ line, reason });
      return;
    }
    const image = { path: resolve(folder, file) };
    result.rows.push({ text: file, label: file.slice(0, end), line, image });
  });
  refuseBadRows(folder, result.skipped, onBadRow);
  requireRows(folder, result.rows.length, result.skipped);
  return result;
}

function imageRow(
  path: string,
  fields: Fields,
  { imageColumn, labelColumn }: ReadOptions,
): Omit<ImageRow, 'line'> | { problem: string } {
  const label = field(fields, labelColumn!);
  if ('problem' in label) return label;
  const image = imageField(path, fields, imageColumn!);
  return 'problem' in image ? image : { ...image, label: label.value };
}

/** The image of a record, and its name. @param path of the data file */
export function imageField(
  path: string,
  fields: Fields,
  imageColumn: string,
): Pick<ImageRow, 'text' | 'image'> | { problem: string } {
  const value = fields.get(imageColumn);
  if (value instanceof Uint8Array) return encoded(value, undefined);
  if (typeof value === 'object' && value !== null && 'bytes' in value && value.bytes instanceof Uint8Array)
    return encoded(value.bytes, 'path' in value ? value.path : undefined);
  const named = typeof value === 'object' && value !== null && 'path' in value ? value.path : value;
  if (typeof named !== 'string' || named.trim() === '')
    return {
      problem:
        value === undefined || value === null
          ? `no "${imageColumn}"`
          : `"${imageColumn}" is neither a path nor an encoded image`,
    };
  return { text: named, image: { path: resolve(dirname(path), named), of: path } };
}

/** Names are for views and errors only; the hub's data sets often have none. */
function encoded(bytes: Uint8Array, path: unknown): Pick<ImageRow, 'text' | 'image'> {
  const name = typeof path === 'string' ? path : '';
  return { text: name, image: { bytes, name } };
}
