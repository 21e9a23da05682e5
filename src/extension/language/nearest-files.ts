import { basename, dirname, extname, relative } from 'node:path';
import { editDistance } from '../../base/nearest';

/** The most suggestions of a message and its quick fixes. */
export const MOST_SUGGESTED = 3;

/** Names that most models share: only the folders of such files differ. */
const SHARED =
  /^(model[^.]*\.onnx|model_index\.json|config\.json|tokenizer\.json|preprocessor_config\.json)$/i;

/** Edits beyond this share of a name make another name of it. */
const ALIKE = 1 / 2;

/**
 * The existing files that a missing one was probably meant to be, the closest first; none if no name is similar. A file of
 * another folder with a similar name is one of them, unless models share its name; the path of a folder is that of the model in it.
 *
 * @param from the experiment's file
 * @param missing absolute
 */
export function nearestFiles(from: string, missing: string, files: readonly string[]): string[] {
  return byDistance(
    from,
    missing,
    files.filter((file) => isAlike(from, missing, file)),
  ).slice(0, MOST_SUGGESTED);
}

/** All of them, the closest first: by name, then by folder. */
export function byDistance(from: string, missing: string, files: readonly string[]): string[] {
  return [...new Set(files)]
    .map((file) => ({ file, distances: distances(from, missing, file) }))
    .sort((a, b) => a.distances.name - b.distances.name || a.distances.path - b.distances.path)
    .map(({ file }) => file);
}

function distances(from: string, missing: string, file: string): { name: number; path: number } {
  const pairs = namePairs(from, missing, file);
  const name = Math.min(...pairs.map((pair) => pair.reduce((sum, [a, b]) => sum + distance(a, b), 0)));
  return { name, path: distance(relative(dirname(from), missing), relative(dirname(from), file)) };
}

const isAlike = (from: string, missing: string, file: string): boolean =>
  namePairs(from, missing, file).some((pair) => pair.every(([a, b]) => areAlike(a, b)));

/** An ending that both have is not informative. */
function areAlike(a: string, b: string): boolean {
  const ending = extname(a).toLowerCase() === extname(b).toLowerCase() ? extname(a).length : 0;
  const longest = Math.max(a.length, b.length) - ending;
  return distance(a, b) <= longest * ALIKE;
}

type NamePair = readonly (readonly [string, string])[];

/** The pairs of names to compare in two paths: each way in which the one can be the other, misspelt. */
function namePairs(from: string, missing: string, file: string): NamePair[] {
  const [wanted, name] = [basename(missing), basename(file)];
  const [wantedFolder, folder] = [basename(dirname(missing)), basename(dirname(file))];
  // A name without an ending: of a model's folder, or of a file whose ending was forgotten.
  if (!/\.\w+$/.test(wanted))
    return [[[wanted, folder]], [[wanted, name]], [[wanted, name.replace(/\.\w+$/, '')]]];
  const isBeside = dirname(missing) === dirname(file) || dirname(missing) === dirname(from);
  if (!isBeside && (SHARED.test(wanted) || SHARED.test(name)))
    return [
      [
        [wantedFolder, folder],
        [wanted, name],
      ],
    ];
  return [[[wanted, name]]];
}

const distance = (a: string, b: string): number => editDistance(a.toLowerCase(), b.toLowerCase());
