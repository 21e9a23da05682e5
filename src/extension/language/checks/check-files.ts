import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import { AuroraError } from '../../../base/errors';
import { t } from '../../../base/l10n';
import { editDistance } from '../../../base/nearest';
import { isHubReference, parseHubReference } from '../../../experiment/hub-reference';
import type { TaskDescription } from '../../../experiment/tasks/kind';
import { MODEL_CONFIG, modelFileLater, modelPath } from '../../../files/model-path';
import { filesOfLater, hasWildcard } from '../../../files/pattern';
import { tokenizerBesideLater } from '../../../files/tokenizer-path';
import type { ExperimentText, Span } from '../../../runs/experiment/experiment-text';
import { isCachedLater } from '../../../runs/experiment/hub-references';
import { COMMAND } from '../../ids';
import { DATA_FILE } from '../data-head';
import type { Finding, Fix } from '../finding';

/** The files that an experiment names: each key, and the files that it accepts. */
export const FILE_KEYS = [
  { path: ['model', 'path'], pattern: /\.onnx$|(^|[\\/])model_index\.json$/i },
  { path: ['model', 'tokenizer'], pattern: /(^|[\\/])[^\\/]*tokenizer[^\\/]*\.json$/i },
  { path: ['model', 'preprocessor'], pattern: /(^|[\\/])[^\\/]*preprocessor[^\\/]*\.json$/i },
  { path: ['data', 'train'], pattern: DATA_FILE },
  { path: ['data', 'validation'], pattern: DATA_FILE },
  { path: ['data', 'test'], pattern: DATA_FILE },
  { path: ['data', 'classImages'], pattern: DATA_FILE },
] as const;

/** The keys of all files, with those of data.evaluations. */
export const fileKeys = (doc: ExperimentText): { path: readonly string[]; pattern: RegExp }[] => [
  ...FILE_KEYS,
  ...doc
    .keys('data', 'evaluations')
    .map((name) => ({ path: ['data', 'evaluations', name, 'path'], pattern: DATA_FILE })),
];

/** The files that a model needs beside it where the experiment does not name them. */
export const BESIDE = {
  tokenizer: { name: 'tokenizer.json', pattern: FILE_KEYS[1].pattern },
  preprocessor: { name: 'preprocessor_config.json', pattern: FILE_KEYS[2].pattern },
};

/**
 * Reports files that are missing or are folders, and suggests the closest existing ones. Images may be in a folder, and a
 * model may be one.
 *
 * @param known absolute paths of files in the workspace
 */
export async function fileFindings(
  doc: ExperimentText,
  { input, answer }: Pick<TaskDescription, 'input' | 'answer'>,
  known: readonly string[],
): Promise<Finding[]> {
  const pictures = answer === 'picture';
  const images = input === 'image' || pictures;
  const findings: Finding[] = [];
  for (const { path, pattern } of fileKeys(doc)) {
    const written = doc.string(...path);
    if (written === undefined) continue;
    if (isHubReference(written)) {
      findings.push(...(await hubFindings(doc, path)));
      continue;
    }
    const file = doc.resolve(written);
    const kind = await kindOf(file);
    if (kind === 'missing' && path[0] === 'data' && hasWildcard(file)) {
      const problem = await patternProblem(file);
      if (problem !== undefined)
        findings.push({
          ...doc.span(...path),
          severity: 'error',
          code: 'file-missing',
          message: problem,
          fixes: [],
        });
      continue;
    }
    const isModel = path[0] === 'model' && path[1] === 'path';
    const folders = isModel
      ? (await kindOf(await modelFileLater(file))) === 'file'
      : images && path[0] === 'data';
    if (kind === 'file' || (kind === 'folder' && folders)) continue;
    const candidates = nearestFiles(doc.file, file, await filesFor(file, pattern, known)).map(modelPath);
    const span = doc.span(...path);
    const what =
      kind !== 'folder'
        ? t('The file {0} does not exist; paths are relative to this file.', written)
        : isModel
          ? t('{0} is a folder without {1}, so it is not a model.', written, MODEL_CONFIG)
          : t('{0} is a folder, but {1} must be a file.', written, path.join('.'));
    const near = candidates.length > 0 ? ` ${t('Nearest: {0}.', names(doc, candidates))}` : '';
    const code = kind === 'folder' ? 'file-is-folder' : 'file-missing';
    const message = `${what}${near}`;
    findings.push({ ...span, severity: 'error', code, message, fixes: filesFixes(doc, span, candidates) });
  }
  // A pipeline has its tokenizers in folders.
  if (!pictures) findings.push(...(await missingBeside(doc, images ? 'preprocessor' : 'tokenizer', known)));
  return findings;
}

/** The code of the finding, from which a hover knows it too. */
export const NOT_DOWNLOADED = 'file-not-downloaded';

/**
 * References to files that are not on this machine. A reference with a mistake is a problem of the experiment itself.
 */
async function hubFindings(doc: ExperimentText, path: readonly string[]): Promise<Finding[]> {
  const ref = parseHubReference(doc.string(...path)!);
  if (!ref || (await isCachedLater(ref))) return [];
  const name = ref.path === '' ? ref.repo : `${ref.repo}/${ref.path}`;
  return [
    {
      ...doc.span(...path),
      severity: 'error',
      code: NOT_DOWNLOADED,
      message: t('{0} has not been downloaded to this machine.', name),
      fixes: [],
      command: { title: t('Download'), command: COMMAND.downloadExperiment },
    },
  ];
}

/** The reason why a pattern cannot be read; undefined if it can. */
const patternProblem = (pattern: string): Promise<string | undefined> =>
  filesOfLater(pattern).then(
    () => undefined,
    (e: unknown) => {
      if (e instanceof AuroraError) return e.message;
      throw e;
    },
  );

/** A tokenizer or preprocessing that is not named must be beside the model. */
async function missingBeside(
  doc: ExperimentText,
  key: keyof typeof BESIDE,
  known: readonly string[],
): Promise<Finding[]> {
  const model = doc.string('model', 'path');
  if (model === undefined || doc.node('model', key)) return [];
  const path = await modelFileLater(doc.resolve(model));
  if ((await kindOf(path)) !== 'file') return [];
  const { name, pattern } = BESIDE[key];
  const expected = join(dirname(path), name);
  if ((await fileBeside(path, key)) !== undefined) return [];
  const node = doc.node('model', 'path')!;
  const others = byDistance(doc.file, expected, await filesFor(expected, pattern, known)).slice(
    0,
    MOST_SUGGESTED,
  );
  const fixes = others.map((other): Fix => ({
    offset: node.offset + node.length,
    length: 0,
    text: `, "${key}": ${JSON.stringify(doc.written(other))}`,
    title: t('Use {0}', doc.written(other)),
  }));
  return [
    {
      offset: node.offset,
      length: node.length,
      severity: 'error',
      code: `${key}-missing`,
      message: t('There is no {0} next to this model. Put it there, or set model.{1}.', name, key),
      fixes,
    },
  ];
}

/** The file through which a model gets its texts or images, beside it; undefined if there is none. */
export async function fileBeside(model: string, key: keyof typeof BESIDE): Promise<string | undefined> {
  if (key === 'tokenizer') return tokenizerBesideLater(model);
  const path = join(dirname(model), BESIDE[key].name);
  return (await kindOf(path)) === 'file' ? path : undefined;
}

export async function kindOf(path: string): Promise<'file' | 'folder' | 'missing'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch {
    return 'missing';
  }
}

/** Existing files of a kind: those in the folder of `file`, and those of the workspace. */
async function filesFor(file: string, pattern: RegExp, known: readonly string[]): Promise<string[]> {
  const folder = dirname(file);
  const here = await readdir(folder).catch(() => []);
  return [...here.map((name) => join(folder, name)), ...known].filter((path) => pattern.test(path));
}

const names = (doc: ExperimentText, files: readonly string[]): string =>
  files.map((f) => doc.written(f)).join(', ');

const filesFixes = (doc: ExperimentText, span: Span, files: readonly string[]): Fix[] =>
  files.map((file, i) => ({
    ...span,
    title: t('Use {0}', doc.written(file)),
    text: JSON.stringify(doc.written(file)),
    preferred: i === 0,
  }));

/** The most suggestions of a message and its quick fixes. */
const MOST_SUGGESTED = 3;

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
function byDistance(from: string, missing: string, files: readonly string[]): string[] {
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
