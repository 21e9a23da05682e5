import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AuroraError } from '../../../base/errors';
import { describedColumns } from '../../../data/table/described-columns';
import { findFiles, type FoundFiles } from '../../../recipes/data/files';
import type { DataRecipe, Layout } from '../../../recipes/data/data-kind';

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

/** Names of the image column in data sets of the hub. */
const IMAGE = ['image', 'img'];

/**
 * A layout with the columns of its training file: as published, or as the file says which column has labels.
 *
 * @param set settings from the command line, which decide
 * @throws AuroraError 'data' if that is not clear
 */
export async function withColumns(
  layout: Layout,
  train: string,
  set: ReadonlyMap<string, unknown>,
): Promise<Layout> {
  if (!layout.columnsInFile) return layout;
  const { columns, labelled } = await describedColumns(train);
  const chosen = (key: string) => {
    const value = set.get(`data.${key}`);
    return typeof value === 'string' ? value : undefined;
  };
  const image = chosen('imageColumn') ?? columns.find((name) => IMAGE.includes(name));
  // If there are several, such as the breed and the species of a pet, the one with this name.
  const label =
    chosen('labelColumn') ?? (labelled.length === 1 ? labelled[0] : labelled.find((c) => c === 'label'));
  if (image !== undefined && label !== undefined)
    return { ...layout, columns: { image, label }, source: `${basename(train)} itself` };
  throw new AuroraError(
    'data',
    `${train} does not say which column has the ${image === undefined ? 'images' : 'labels'}; it has ${columns.join(', ')}.`,
    'Name them with --set data.imageColumn=COLUMN and --set data.labelColumn=COLUMN.',
  );
}

/** The evaluation sets of a data set that a folder has, by name, and the names of those that it lacks. */
export interface FoundEvaluations {
  found: Record<string, string>;
  missing: string[];
}

export function evaluationsIn({ evaluations = [] }: Layout, folder: string): FoundEvaluations {
  const result: FoundEvaluations = { found: {}, missing: [] };
  for (const { name, files } of evaluations) {
    const path = files.map((file) => join(folder, file)).find((file) => existsSync(file));
    if (path === undefined) result.missing.push(name);
    else result.found[name] = path;
  }
  return result;
}
