import type { DataRecipe, Layout } from './kind';

/** The files of a data set that were found, by their names in its folder. */
export interface FoundFiles {
  layout: Layout;
  train: string;
  validation?: string;
  /** Present, but not used. */
  test?: string;
}

/** Why a folder cannot be used, and what to do. */
export interface Unfound {
  problem: string;
  hint: string;
}

/** In names of Parquet files that the library datasets has uploaded: train-00000-of-00001-2f70549ed86cbeba.parquet. */
const HASH = /-[0-9a-f]{16}(?=\.parquet$)/;

/** One of several parts of a Parquet file of the hub. */
const PART = /(^|\/)train(-\d+-of-(?!00001\b)\d+(-[0-9a-f]{16})?|\/0001)\.parquet$/;

/**
 * Finds the files of a data set: in the folder itself, or in one of the subfolders that downloads have.
 *
 * @param names of the files in the folder, with forward slashes, and of folders with one at the end
 */
export function findFiles(recipe: DataRecipe, names: readonly string[]): FoundFiles | Unfound {
  const known = new Map(names.map((name) => [name.replace(HASH, ''), name]));
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
      if (train !== undefined && !names.some((name) => PART.test(name)))
        return { layout, train, ...(validation && { validation }), ...(test && { test }) };
    }
  return unfound(recipe, names);
}

function unfound({ name, unusable = [], layouts }: DataRecipe, names: readonly string[]): Unfound {
  const part = names.find((file) => PART.test(file));
  if (part !== undefined)
    return {
      problem: `its training data is in several files, such as ${part}, and an experiment reads one`,
      hint: 'Join them into one Parquet file, train-00000-of-00001.parquet.',
    };
  const other = unusable.find(({ file }) => names.some((n) => n === file || n.endsWith(`/${file}`)));
  if (other) return { problem: other.why, hint: other.hint };
  const wanted = layouts.map(({ title, train }) => `${train[0]} (${title})`);
  return {
    problem: `it has no training file of ${name}: ${wanted.join(' or ')}`,
    hint: 'Name the folder in which the files are, as they were downloaded.',
  };
}
