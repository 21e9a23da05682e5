import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The endings of images; other files in an image folder are notes, lists and the like. */
const IMAGE_FILE = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;

/**
 * The image files below a folder, as paths relative to it with "/", in the order in which rows number them: by code units.
 * Links to files count as files; links to folders are not followed, since they may lead back.
 *
 * @throws NodeJS.ErrnoException if the folder, or one below it, cannot be read
 */
export async function imageFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  const walk = async (at: string): Promise<void> => {
    for (const entry of await readdir(join(folder, at), { withFileTypes: true })) {
      const path = at === '' ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory()) await walk(path);
      else if (IMAGE_FILE.test(path) && (entry.isFile() || (await isFile(join(folder, path)))))
        found.push(path);
    }
  };
  await walk('');
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (s) => s.isFile(),
    () => false,
  );
