import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { JSONPath } from 'jsonc-parser';
import { readStoredText } from '../../../files/read';
import type { AuroraError } from '../../../base/errors';
import { t } from '../../../base/l10n';
import { own } from '../../../base/names';
import { nearest } from '../../../base/nearest';
import { dataOfSet } from '../../../experiment/evaluation-sets';
import type { DataSpec } from '../../../experiment/experiment';
import type { TaskDescription } from '../../../experiment/tasks/kind';
import { filesOfLater } from '../../../files/pattern';
import type { ExperimentText } from '../../../runs/experiment/experiment-text';
import { formatOf } from '../../../table/data-files';
import type { DataHead } from '../../../table/head';
import { shortPaths } from '../../words/error-text';
import { type DataHeads, flagColumns, type RefusedFile } from '../data-columns';
import type { Finding } from '../finding';
import { fileKeys } from './check-files';
import { labelFindings } from './check-labels';

/** Maximum number of columns in a message or a menu of fixes. */
const LISTED = 50;

/** A setting that names a column, and the column. */
interface NamedColumn {
  key: string;
  path: (string | number)[];
  name: string;
}

/** A file, and where the text names it. */
interface NamedFile {
  path: JSONPath;
  head: DataHead | undefined;
}

/**
 * Columns that are missing from the files or cannot be read, and label columns that cannot be one.
 *
 * @param data without its defaults if the schema reports an error elsewhere
 */
export function columnFindings(
  doc: ExperimentText,
  task: TaskDescription,
  data: Partial<DataSpec>,
  heads: DataHeads,
): Finding[] {
  const found = namedColumns(doc, task, data).flatMap((column) =>
    (['train', 'validation', 'test'] as const).flatMap((part) =>
      foundIn(doc, task, column, { path: ['data', part], head: heads[part] }),
    ),
  );
  return [
    ...distinct([...found, ...setFindings(doc, task, data, heads)]),
    ...labelFindings(doc, task, data, heads.train),
  ];
}

/** The columns of a damaged file share a message. */
const distinct = (findings: readonly Finding[]): Finding[] => [
  ...new Map(findings.map((finding) => [`${finding.offset} ${finding.message}`, finding])).values(),
];

/** Columns missing from the files of data.evaluations. A column that a set inherits is reported at its file. */
function setFindings(
  doc: ExperimentText,
  task: TaskDescription,
  data: Partial<DataSpec>,
  heads: DataHeads,
): Finding[] {
  return Object.entries(data.evaluations ?? {}).flatMap(([name, { path, ...columns }]) => {
    const section = ['data', 'evaluations', name];
    const file = { path: [...section, 'path'], head: own(heads.evaluations ?? {}, name) };
    const set = { name, path, key: file.path, columns };
    return namedColumns(doc, task, dataOfSet(data as DataSpec, set)).flatMap((column) =>
      foundIn(doc, task, { ...column, path: [...section, ...column.path.slice(1)] }, file),
    );
  });
}

/** Dotted, without the position in a list. */
const settingName = (path: JSONPath, key: string): string =>
  [...path.slice(0, path.lastIndexOf(key)), key].join('.');

function namedColumns(doc: ExperimentText, task: TaskDescription, data: Partial<DataSpec>): NamedColumn[] {
  const { textColumn = task.columns.text, textPairColumn, completionColumn, messagesColumn } = data;
  const { choiceColumns } = data;
  const elsewhere = choiceColumns ?? completionColumn;
  const { choicesColumn = elsewhere === undefined ? task.columns.choices : undefined } = data;
  const { imageColumn = task.columns.image, labelColumn = task.columns.label, labelColumns } = data;
  if (messagesColumn !== undefined) return one('messagesColumn', messagesColumn);
  // With one prompt for all images, their captions are not read.
  const prompted = task.answer === 'picture' && doc.node('task', 'instancePrompt') !== undefined;
  return [
    ...(prompted ? [] : one('textColumn', textColumn)),
    ...one('imageColumn', imageColumn),
    ...one('textPairColumn', textPairColumn),
    ...one('completionColumn', completionColumn),
    ...one('choicesColumn', choicesColumn),
    ...each('choiceColumns', choiceColumns ?? []),
    ...(labelColumns ? each('labelColumns', labelColumns) : one('labelColumn', labelColumn)),
  ];
}

const each = (key: string, names: readonly string[]): NamedColumn[] =>
  names.map((name, i) => ({ key, path: ['data', key, i], name }));

const one = (key: string, name: string | undefined): NamedColumn[] =>
  name === undefined ? [] : [{ key, path: ['data', key], name }];

function foundIn(
  doc: ExperimentText,
  task: TaskDescription,
  column: NamedColumn,
  file: NamedFile,
): Finding[] {
  const problem = file.head?.columns.find(({ name }) => name === column.name)?.problem;
  if (problem === undefined) return missingFindings(doc, task, column, file);
  const folder = dirname(doc.resolve(doc.string(...file.path)!));
  return [
    {
      ...doc.span(...file.path),
      severity: 'error',
      code: DATA_UNREADABLE,
      message: shortPaths(problem, [folder]),
      fixes: [],
    },
  ];
}

function missingFindings(
  doc: ExperimentText,
  task: TaskDescription,
  { key, path, name }: NamedColumn,
  { path: at, head }: NamedFile,
): Finding[] {
  const all = head?.columns.map((c) => c.name) ?? [];
  if (!head || all.includes(name)) return [];
  const node = doc.node(...path);
  // The default does not fit: reported at the file with the columns.
  const span = node ? { offset: node.offset, length: node.length } : doc.span(...at);
  const flags = node || key !== 'labelColumn' || task.answer !== 'labels' ? [] : flagColumns(head);
  const likely = nearest(name, all);
  const listed = all.slice(0, LISTED);
  // An entry of a list that is written elsewhere has no place here.
  const isEntry = !node && typeof path.at(-1) === 'number';
  const offered = isEntry
    ? []
    : likely === undefined || listed.includes(likely)
      ? listed
      : [likely, ...listed];
  return [
    {
      ...span,
      severity: 'error',
      code: 'column-missing',
      message: t(
        '{0} has no column "{1}" ({2}); it has {3}.',
        doc.string(...at) ?? String(at.at(-1)),
        name,
        settingName(path, key),
        listed.map((c) => `"${c}"`).join(', ') + (all.length > LISTED ? ', …' : ''),
      ),
      fixes: [
        ...(flags.length < 2
          ? []
          : [
              {
                offset: span.offset + span.length,
                length: 0,
                title: t('Set labelColumns to the {0} columns of 0 and 1', flags.length),
                text: `, "labelColumns": ${JSON.stringify(flags)}`,
                preferred: true,
              },
            ]),
        ...offered.map((column) =>
          node
            ? {
                ...span,
                title: t('Use the column "{0}"', column),
                text: JSON.stringify(column),
                preferred: column === likely,
              }
            : {
                offset: span.offset + span.length,
                length: 0,
                title: t('Set {0} to "{1}"', key, column),
                text: `, "${key}": ${JSON.stringify(column)}`,
                preferred: column === likely && flags.length < 2,
              },
        ),
      ],
    },
  ];
}

/** A larger file is not read to find anything but white space. */
const SMALL = 64 * 1024;

/** Code of a file, or a column that the experiment names, that cannot be read. */
const DATA_UNREADABLE = 'data-unreadable';

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
  if (head || !isText || facts.size > SMALL || (await readStoredText(file)).trim() !== '') return undefined;
  return { code: 'data-empty', message: t('{0} has only blank lines.', name) };
}
