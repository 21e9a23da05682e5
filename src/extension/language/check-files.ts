import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { editDistance } from '../../base/nearest';
import type { Translate } from '../translate';
import { DATA_FILE } from './data-head';
import type { ExperimentText } from './experiment-text';
import type { Finding, Fix, Span } from './finding';

/** The files that an experiment names: the key, and what it accepts. */
export const FILE_KEYS = [
  { path: ['model', 'path'], pattern: /\.onnx$/i },
  { path: ['model', 'tokenizer'], pattern: /(^|[\\/])[^\\/]*tokenizer[^\\/]*\.json$/i },
  { path: ['data', 'train'], pattern: DATA_FILE },
  { path: ['data', 'validation'], pattern: DATA_FILE },
] as const;

/**
 * Reports files that are missing or are folders, and suggests the closest existing ones.
 *
 * @param known absolute paths of files in the workspace
 */
export async function fileFindings(
  doc: ExperimentText,
  known: readonly string[],
  t: Translate,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { path, pattern } of FILE_KEYS) {
    const written = doc.string(...path);
    if (written === undefined) continue;
    const file = doc.resolve(written);
    const kind = await kindOf(file);
    if (kind === 'file') continue;
    const candidates = await nearestFiles(file, pattern, known);
    const span = doc.span(...path);
    const what =
      kind === 'folder'
        ? t('{0} is a folder, but {1} must be a file.', written, path.join('.'))
        : t('The file {0} does not exist; paths are relative to this file.', written);
    const near = candidates.length > 0 ? ` ${t('Nearest: {0}.', names(doc, candidates))}` : '';
    const code = kind === 'folder' ? 'file-is-folder' : 'file-missing';
    const message = `${what}${near}`;
    findings.push({ ...span, severity: 'error', code, message, fixes: filesFixes(doc, span, candidates, t) });
  }
  findings.push(...(await tokenizerBeside(doc, known, t)));
  return findings;
}

/** A tokenizer that is not named must be beside the model. */
async function tokenizerBeside(
  doc: ExperimentText,
  known: readonly string[],
  t: Translate,
): Promise<Finding[]> {
  const model = doc.string('model', 'path');
  if (model === undefined || doc.node('model', 'tokenizer')) return [];
  const path = doc.resolve(model);
  if ((await kindOf(path)) !== 'file') return [];
  const expected = join(dirname(path), 'tokenizer.json');
  if ((await kindOf(expected)) === 'file') return [];
  const node = doc.node('model', 'path')!;
  const others = await nearestFiles(expected, FILE_KEYS[1].pattern, known);
  const fixes = others.map((other): Fix => ({
    offset: node.offset + node.length,
    length: 0,
    text: `, "tokenizer": ${JSON.stringify(doc.written(other))}`,
    title: t('Use the tokenizer {0}', doc.written(other)),
  }));
  return [
    {
      offset: node.offset,
      length: node.length,
      severity: 'error',
      code: 'tokenizer-missing',
      message: t('There is no tokenizer.json next to this model. Put it there, or set model.tokenizer.'),
      fixes,
    },
  ];
}

export async function kindOf(path: string): Promise<'file' | 'folder' | 'missing'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch {
    return 'missing';
  }
}

/** Up to three existing files with similar names: first from the folder, then from the workspace. */
async function nearestFiles(file: string, pattern: RegExp, known: readonly string[]): Promise<string[]> {
  const folder = dirname(file);
  const here = await readdir(folder).catch(() => []);
  const all = [...here.map((name) => join(folder, name)), ...known].filter((p) => pattern.test(p));
  const wanted = basename(file).toLowerCase();
  const distance = (p: string) =>
    editDistance(wanted, basename(p).toLowerCase()) + (dirname(p) === folder ? 0 : 0.5);
  return [...new Set(all)]
    .map((p) => ({ p, d: distance(p) }))
    .sort((a, b) => a.d - b.d)
    .slice(0, 3)
    .map(({ p }) => p);
}

const names = (doc: ExperimentText, files: readonly string[]): string =>
  files.map((f) => doc.written(f)).join(', ');

const filesFixes = (doc: ExperimentText, span: Span, files: readonly string[], t: Translate): Fix[] =>
  files.map((file, i) => ({
    ...span,
    title: t('Use {0}', doc.written(file)),
    text: JSON.stringify(doc.written(file)),
    preferred: i === 0,
  }));
