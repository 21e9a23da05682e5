import { basename, dirname } from 'node:path';

/** A folder with images in it, and how many. */
export interface PictureFolder {
  path: string;
  images: number;
  /** True if they have captions: in metadata.jsonl or metadata.csv, or in text files of their names. */
  captions: boolean;
}

/** The files to search for: images, and those with captions. */
export const PICTURE_FILES = '**/*.{jpg,jpeg,png,webp,gif,tif,tiff,avif,txt,jsonl,csv}';

const IMAGE = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;
const CAPTIONS = /^metadata\.(jsonl|csv)$/;

const stem = (path: string): string => path.replace(/\.\w+$/, '');

/** The folders that have images right in them, among the paths of files; sorted. */
export function pictureFolders(paths: readonly string[]): PictureFolder[] {
  const images = paths.filter((path) => IMAGE.test(path));
  const named = new Set(images.map(stem));
  const captioned = new Set(
    paths
      .filter((path) => CAPTIONS.test(basename(path)) || (path.endsWith('.txt') && named.has(stem(path))))
      .map((path) => dirname(path)),
  );
  const counts = new Map<string, number>();
  for (const path of images) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  return [...counts]
    .map(([path, n]) => ({ path, images: n, captions: captioned.has(path) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * The folders of labeled images among the paths of image files: those with images in at least two folders of their own,
 * each named after a label.
 */
export function imageFolders(images: readonly string[]): string[] {
  const labels = new Map<string, Set<string>>();
  for (const folder of new Set(images.map((path) => dirname(path)))) {
    const root = dirname(folder);
    labels.set(root, (labels.get(root) ?? new Set()).add(folder));
  }
  return [...labels]
    .filter(([, folders]) => folders.size > 1)
    .map(([root]) => root)
    .sort();
}
