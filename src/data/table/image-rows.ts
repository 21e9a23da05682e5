import { dirname, join, resolve } from 'node:path';
import { otherHost } from '../../files/contained';
import { inputExists, readInputLater } from '../../files/inputs/open';
import { isFolder } from '../../files/tree';
import { rowName, rowPlace } from '../../protocol/row-place';
import { unreadable } from '../../table/data-files';
import { imageFiles } from '../../table/image-files';
import type { Fields } from '../../table/records';
import type { ImageSource } from '../images/source';
import { refuseBadRows } from './bad-rows';
import {
  field,
  type MarkedFormat,
  type ReadOptions,
  readRows,
  requireRows,
  type Row,
  type RowFormat,
  type Rows,
} from './rows';

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
function withName<R extends ImageRow>(path: string, row: R, parts: Rows['parts']): R {
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
  const host = otherHost(named, path);
  if (host !== undefined) return { problem: `"${imageColumn}" leads to another computer, ${host}` };
  return { text: named, image: { path: resolve(dirname(path), named), of: path } };
}

/** Names are for views and errors only; the hub's data sets often have none. */
function encoded(bytes: Uint8Array, path: unknown): Pick<ImageRow, 'text' | 'image'> {
  const name = typeof path === 'string' ? path : '';
  return { text: name, image: { bytes, name } };
}

/** An image and its caption; `text` is the image's name, as views show it. */
export interface PictureRow extends ImageRow {
  prompt: string;
}

/** Captions of the images in a folder, as the hub's data sets have them: the names of the images are in this column. */
const METADATA = ['metadata.jsonl', 'metadata.csv'];
const METADATA_IMAGES = 'file_name';

/** The file that the rows of a folder of images are lines of, if it has captions in one. */
export const captionsFile = (path: string): string | undefined =>
  isFolder(path)
    ? METADATA.map((name) => join(path, name)).find((file) => inputExists(file, 'data'))
    : undefined;

/**
 * Images with prompts: a folder, or a data file with a column of images and one of captions. The captions of a folder's
 * images are in metadata.jsonl or metadata.csv, or in NAME.txt beside NAME.png.
 *
 * @param prompt of all images, in place of their captions
 */
export function readPictureRows(
  path: string,
  options: ReadOptions,
  prompt?: string,
): Promise<Rows<PictureRow, PictureRow[]>> {
  if (!isFolder(path)) return readRows(path, options, pictureFormat(path, prompt));
  const captions = prompt === undefined ? captionsFile(path) : undefined;
  return captions === undefined
    ? readPictureFolder(path, options, prompt)
    : readRows(captions, { ...options, imageColumn: METADATA_IMAGES }, pictureFormat(captions));
}

const pictureFormat = (path: string, prompt?: string): RowFormat<PictureRow> => ({
  required: () => (prompt === undefined ? ['imageColumn', 'textColumn'] : ['imageColumn']),
  rowOf(fields, { imageColumn, textColumn }) {
    const found = imageField(path, fields, imageColumn!);
    if ('problem' in found) return found;
    const caption = prompt === undefined ? field(fields, textColumn!) : { value: prompt };
    return 'problem' in caption ? caption : { ...found, label: '', prompt: caption.value };
  },
  placed: (row, parts) => withName(path, row, parts),
});

async function readPictureFolder(
  folder: string,
  { onBadRow }: ReadOptions,
  prompt: string | undefined,
): Promise<Rows<PictureRow, PictureRow[]>> {
  const result: Rows<PictureRow, PictureRow[]> = { rows: [], skipped: [] };
  const files = await imageFiles(folder).catch((cause) => {
    throw unreadable(folder, cause);
  });
  for (const [i, file] of files.entries()) {
    const line = i + 1;
    const caption = prompt ?? (await captionBeside(folder, file));
    if (caption === undefined)
      result.skipped.push({
        line,
        reason: `${file} has no caption: there is no task.instancePrompt, no ${METADATA[0]}, and no text in ${textFile(file)}`,
      });
    else
      result.rows.push({
        ...{ text: file, label: '', prompt: caption, line },
        image: { path: resolve(folder, file) },
      });
  }
  refuseBadRows(folder, result.skipped, onBadRow);
  requireRows(folder, result.rows.length, result.skipped);
  return result;
}

const textFile = (image: string): string => image.replace(/\.\w+$/, '.txt');

/** Undefined without a text file, or for an empty one. */
async function captionBeside(folder: string, image: string): Promise<string | undefined> {
  const path = join(folder, textFile(image));
  const text = await readInputLater(path, 'data').catch((e: NodeJS.ErrnoException) => {
    if (e.code === 'ENOENT') return '';
    throw unreadable(path, e);
  });
  return text.toString().trim() || undefined;
}
