import { existsSync, readdirSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { JSONPath } from 'jsonc-parser';
import type { Experiment } from '../../experiment/experiment';
import {
  hubReferenceProblem,
  hubReferenceText,
  isHubReference,
  parseHubReference,
  type HubKind,
  type HubReference,
} from '../../experiment/hub-reference';
import { hubCacheFolder, snapshotPath } from '../../files/hub-cache';
import { modelFile, modelFileLater, modelKind } from '../../files/model-path';
import { filesOfLater, hasWildcard, matchedBy, missingShard } from '../../files/pattern';
import { isFolder } from '../../files/tree';
import { keyPath, type Problem } from './experiment-text';

/** A file that an experiment names on the hub, and the setting that does. */
export interface NamedReference {
  path: string[];
  text: string;
  kind: HubKind;
}

type Named = Pick<Experiment, 'model' | 'data'>;

/** The references of an experiment to the hub, as they are written, with and without mistakes. */
function namedReferences({ model, data }: Named): NamedReference[] {
  const named: [path: string[], kind: HubKind, text: string | undefined][] = [
    ...(['path', 'tokenizer', 'preprocessor'] as const).map(
      (key): [string[], HubKind, string | undefined] => [['model', key], 'model', model[key]],
    ),
    ...(['train', 'validation', 'test'] as const).map((key): [string[], HubKind, string | undefined] => [
      ['data', key],
      'dataset',
      data[key],
    ]),
    ...Object.entries(data.evaluations ?? {}).map(([name, set]): [string[], HubKind, string] => [
      ['data', 'evaluations', name, 'path'],
      'dataset',
      set.path,
    ]),
  ];
  return named.flatMap(([path, kind, text]) =>
    text !== undefined && isHubReference(text) ? [{ path, text, kind }] : [],
  );
}

/** References that lead nowhere, such as one with a branch in place of a commit. */
export const referenceProblems = (named: Named): Problem[] =>
  namedReferences(named).flatMap(({ path, text, kind }) => {
    const problem = hubReferenceProblem(text, kind);
    return problem === undefined ? [] : [{ path, message: `${path.join('.')} is "${text}", ${problem}` }];
  });

/** Every string meant as a reference in an experiment's content, also in its sweep, in the order of the file. */
export function hubTextsIn(value: unknown, path: JSONPath = []): { path: JSONPath; text: string }[] {
  if (typeof value === 'string') return isHubReference(value) ? [{ path, text: value }] : [];
  if (typeof value !== 'object' || value === null) return [];
  const children = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return children.flatMap(([key, child]: [string | number, unknown]) => hubTextsIn(child, [...path, key]));
}

/** The references among them. */
export const referencesIn = (value: unknown): { path: JSONPath; ref: HubReference }[] =>
  hubTextsIn(value).flatMap(({ path, text }) => {
    const ref = parseHubReference(text);
    return ref ? [{ path, ref }] : [];
  });

/** References whose files are not on this machine. @param file the experiment */
export const missingReferences = (value: unknown, file: string): Problem[] =>
  referencesIn(value).flatMap(({ path, ref }) => {
    if (isCached(ref)) return [];
    const message = `${keyPath(path)} is "${hubReferenceText(ref)}", which has not been downloaded to this machine: run \`aurora get ${file}\``;
    return [{ path, message }];
  });

/** True if a reference's file, one of its pattern, or the model of a repository is in the cache. */
export function isCached(ref: HubReference, cache = hubCacheFolder()): boolean {
  const path = snapshotPath(cache, ref);
  if (ref.kind === 'dataset' || ref.path !== '')
    return hasWildcard(path) ? isWhole(path, matchedBy(path)) : existsSync(path);
  const file = modelFile(path);
  const { folder, named } = weightsOf(file);
  if (!existsSync(file) || !isFolder(folder)) return false;
  // A link whose blob was removed does not count.
  return readdirSync(folder).some((name) => named.test(name) && existsSync(join(folder, name)));
}

/** `isCached` for the editor, which must not wait for a disk. */
export async function isCachedLater(ref: HubReference, cache = hubCacheFolder()): Promise<boolean> {
  const path = snapshotPath(cache, ref);
  const isThere = (file: string) =>
    stat(file).then(
      () => true,
      () => false,
    );
  if (ref.kind === 'dataset' || ref.path !== '') {
    if (!hasWildcard(path)) return isThere(path);
    // Without a match, it throws.
    const files = await filesOfLater(path).catch(() => []);
    return (
      files.length > 0 &&
      missingShard(
        path,
        files.map((file) => basename(file)),
      ) === undefined
    );
  }
  const file = await modelFileLater(path);
  const { folder, named } = weightsOf(file);
  const names = (await readdir(folder).catch(() => [])).filter((name) => named.test(name));
  const found = await Promise.all(names.map((name) => isThere(join(folder, name))));
  return found.includes(true) && isThere(file);
}

/** Where the weights of a repository are, by the file that describes it; of a pipeline, those of its U-Net. */
const weightsOf = (file: string): { folder: string; named: RegExp } =>
  modelKind(file) === 'pipeline'
    ? { folder: join(dirname(file), 'unet'), named: /\.(safetensors|onnx)$/ }
    : { folder: dirname(file), named: /\.safetensors$/ };

const isWhole = (pattern: string, files: readonly string[]): boolean =>
  files.some((file) => existsSync(file)) &&
  missingShard(
    pattern,
    files.map((file) => basename(file)),
  ) === undefined;
