import { shardPattern } from '../../files/pattern';
import type { DataRecipe, Layout } from './data-kind';

/** The files of a data set that were found, by their names in its folder; several as a pattern. */
export interface FoundFiles {
  layout: Layout;
  train: string;
  validation?: string;
  /** Present, but not used. */
  test?: string;
}

/** The reason why a folder cannot be used, and the next step. */
export interface Unfound {
  problem: string;
  hint: string;
}

/** In names of Parquet files that the library datasets has uploaded: train-00000-of-00001-2f70549ed86cbeba.parquet. */
const HASH = /-[0-9a-f]{16}(?=\.parquet$)/;

/**
 * A set of several files is known as a layout calls the only one: train-00000-of-00001.parquet, or train/0000.parquet.
 */
export const singleName = (name: string): string =>
  name
    .replace(HASH, '')
    .replace(/-(\d+|\*)-of-\d+(-\*)?(?=\.parquet$)/, '-00000-of-00001')
    .replace(/(^|\/)(\d{4}|\*)(?=\.parquet$)/, '$10000');

/** The files of a folder by such a name: a single file itself, and a pattern for several. */
function knownFiles(names: readonly string[]): Map<string, string> {
  const sets = new Map<string, string[]>();
  for (const name of names) sets.set(singleName(name), [...(sets.get(singleName(name)) ?? []), name]);
  return new Map([...sets].map(([single, files]) => [single, patternOf(files)]));
}

/** The pattern of a numbered set, also if only one of its files is there: reading it names the missing ones. */
function patternOf(files: readonly string[]): string {
  const only = files.find((file) => /-0+-of-0*1\D/.test(file));
  if (only !== undefined) return only;
  const [first] = files;
  const folder = first.slice(0, first.lastIndexOf('/') + 1);
  const name = first.slice(folder.length);
  const pattern = shardPattern(name);
  if (pattern !== undefined) return folder + pattern;
  const isLater = /^\d{4}\.parquet$/.test(name) && name !== '0000.parquet';
  return files.length > 1 || isLater ? `${folder}*.parquet` : first;
}

/**
 * Finds the files of a data set: in the folder itself, or in one of the subfolders that downloads have.
 *
 * @param names of the files in the folder, with forward slashes, and of folders with one at the end
 */
export function findFiles(recipe: DataRecipe, names: readonly string[]): FoundFiles | Unfound {
  const known = knownFiles(names);
  // The folder itself has a folder for each label.
  const within = names.filter((name) => /^[^/]+\/$/.test(name)).length;
  if (recipe.classes?.value.includes(within)) known.set('', '.');
  for (const folder of recipe.folders)
    for (const layout of recipe.layouts.filter(({ within }) => within?.includes(folder) ?? true)) {
      const first = (files: readonly string[]) =>
        files.map((file) => (folder === '' ? file : `${folder}/${file}`)).find((file) => known.has(file));
      const named = (file: string | undefined) => (file === undefined ? undefined : known.get(file));
      const [train, validation, test] = [layout.train, layout.validation, layout.test].map((files) =>
        named(first(files)),
      );
      if (train !== undefined)
        return { layout, train, ...(validation && { validation }), ...(test && { test }) };
    }
  return unfound(recipe, names);
}

function unfound({ name, unusable = [], layouts }: DataRecipe, names: readonly string[]): Unfound {
  const other = unusable.find(({ file }) => names.some((n) => n === file || n.endsWith(`/${file}`)));
  if (other) return { problem: other.why, hint: other.hint };
  const wanted = layouts.map(({ title, train }) => `${train[0]} (${title})`);
  return {
    problem: `it has no training file of ${name}: ${wanted.join(' or ')}`,
    hint: 'Name the folder in which the files are, as they were downloaded.',
  };
}
