import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../../base/errors';
import { findFiles, type FoundFiles } from '../../../recipes/data/files';
import type { DataRecipe } from '../../../recipes/data/kind';

/** The hub's conversions have a folder for each split. */
const SPLITS = ['train', 'validation', 'val', 'test'];

/** @throws AuroraError 'data' if the folder does not have the data set's files */
export function filesIn(recipe: DataRecipe, folder: string): FoundFiles {
  const names = recipe.folders.flatMap((within) =>
    ['', ...SPLITS].flatMap((split) => {
      const below = [within, split].filter((part) => part !== '').join('/');
      return entriesOf(folder, below).map((name) => (below === '' ? name : `${below}/${name}`));
    }),
  );
  const found = findFiles(recipe, names);
  if ('problem' in found)
    throw new AuroraError('data', `${folder} cannot be used for ${recipe.id}: ${found.problem}.`, found.hint);
  return found;
}

/** Names in a folder, of folders with a slash at the end; none if a subfolder is not there. */
function entriesOf(folder: string, below: string): string[] {
  try {
    return readdirSync(join(folder, below), { withFileTypes: true }).map((entry) =>
      entry.isDirectory() ? `${entry.name}/` : entry.name,
    );
  } catch (cause) {
    if (below !== '') return [];
    const { code, message } = cause as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT'
        ? 'does not exist'
        : code === 'ENOTDIR'
          ? 'is not a folder'
          : `cannot be read: ${message}`;
    throw new AuroraError(
      'data',
      `${folder} ${why}.`,
      'Name the folder with the data set’s files with --data.',
      { cause },
    );
  }
}
