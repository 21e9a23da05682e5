import { join, resolve } from 'node:path';
import { inputExists, readInputLater } from '../../files/inputs/open';
import { isFolder } from '../../files/tree';
import { unreadable } from '../../table/files';
import { imageFiles } from '../../table/image-files';
import { refuseBadRows } from './bad-rows';
import { imageField, withName, type ImageRow } from './image-rows';
import { field, readRows, requireRows } from './rows';
import type { ReadOptions, RowFormat, Rows } from './rows';

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
    ? readFolder(path, options, prompt)
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

async function readFolder(
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
