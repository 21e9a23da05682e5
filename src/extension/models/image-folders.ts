import { dirname } from 'node:path';

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
