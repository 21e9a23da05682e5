import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { own } from '../../../base/names';
import { filesOfLater } from '../../../files/pattern';
import { formatOf } from '../../../table/files';
import type { DataHead } from '../../../table/head';
import type { Translate } from '../../translate';
import type { DataHeads } from '../columns';
import type { ExperimentText } from '../experiment-text';
import type { Finding } from '../finding';
import { fileKeys } from './check-files';

/** A larger file is not read to see whether it has anything but white space. */
const SMALL = 64 * 1024;

/** Data files that are there, but that training refuses: of an unknown format, or without rows. */
export async function dataFindings(doc: ExperimentText, heads: DataHeads, t: Translate): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { path } of fileKeys(doc)) {
    const written = path[0] === 'data' ? doc.string(...path) : undefined;
    if (written === undefined) continue;
    const problem = await problemOf(doc.resolve(written), headOf(heads, path), t);
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
  head: DataHead | undefined,
  t: Translate,
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
  const isText = format !== 'parquet' && !/\.gz$/i.test(file);
  if (head || !isText || facts.size > SMALL || (await readFile(file, 'utf8')).trim() !== '') return undefined;
  return { code: 'data-empty', message: t('{0} has only blank lines.', name) };
}
