import { readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { own } from '../../../base/names';
import type { AuroraError } from '../../../base/errors';
import { t } from '../../../base/l10n';
import { filesOfLater } from '../../../files/pattern';
import { formatOf } from '../../../table/files';
import type { DataHead } from '../../../table/head';
import { shortPaths } from '../../words/short-paths';
import type { DataHeads, RefusedFile } from '../columns';
import type { ExperimentText } from '../../../runs/experiment/experiment-text';
import type { Finding } from '../finding';
import { fileKeys } from './check-files';

/** A larger file is not read to find anything but white space. */
const SMALL = 64 * 1024;

/** Code of a file, or a column that the experiment names, that cannot be read. */
export const DATA_UNREADABLE = 'data-unreadable';

/** Data files that are there, but that training refuses: of an unknown format, without rows, or unreadable. */
export async function dataFindings(
  doc: ExperimentText,
  heads: DataHeads,
  refused: readonly RefusedFile[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { path } of fileKeys(doc)) {
    const written = path[0] === 'data' ? doc.string(...path) : undefined;
    if (written === undefined) continue;
    const error = refused.find((file) => file.path.join('\0') === path.join('\0'))?.error;
    const problem = await problemOf(doc.resolve(written), { head: headOf(heads, path), error });
    if (problem) findings.push({ ...doc.span(...path), ...problem, severity: 'error', fixes: [] });
  }
  return findings;
}

const headOf = (heads: DataHeads, path: readonly string[]): DataHead | undefined =>
  path[1] === 'evaluations'
    ? own(heads.evaluations ?? {}, path[2]!)
    : heads[path[1] as 'train' | 'validation' | 'test'];

async function problemOf(
  path: string,
  { head, error }: { head: DataHead | undefined; error: AuroraError | undefined },
): Promise<Pick<Finding, 'code' | 'message'> | undefined> {
  const file = (await filesOfLater(path).catch(() => []))[0];
  const facts = file === undefined ? undefined : await stat(file).catch(() => undefined);
  if (file === undefined || !facts?.isFile()) return undefined;
  const name = basename(file);
  const format = formatOf(file);
  if (format === undefined)
    return {
      code: 'format-unknown',
      message: t(
        'The format of {0} is not known. Data files end in .csv, .tsv, .jsonl, .json, .parquet or .conll.',
        name,
      ),
    };
  if (facts.size === 0) return { code: 'data-empty', message: t('{0} is empty.', name) };
  if (head?.rows === 0 && head.whole)
    return { code: 'data-empty', message: t('{0} has a header but no rows.', name) };
  if (error)
    return {
      code: DATA_UNREADABLE,
      message: shortPaths(error.hint ? `${error.message} ${error.hint}` : error.message, [dirname(file)]),
    };
  const isText = format !== 'parquet' && !/\.gz$/i.test(file);
  if (head || !isText || facts.size > SMALL || (await readFile(file, 'utf8')).trim() !== '') return undefined;
  return { code: 'data-empty', message: t('{0} has only blank lines.', name) };
}
