import { nearest } from '../../base/nearest';
import type { DataSpec } from '../../experiment/experiment';
import type { TaskDescription } from '../../experiment/tasks/kind';
import type { DataHead } from '../../table/head';
import type { Translate } from '../translate';
import { labelFindings } from './check-labels';
import { flagColumns } from './columns';
import type { ExperimentText } from './experiment-text';
import type { Finding } from './finding';

/** Maximum number of columns in a message or a menu of fixes. */
const LISTED = 50;

/** A setting that names a column, and the column. */
interface NamedColumn {
  key: string;
  path: (string | number)[];
  name: string;
}

/**
 * Columns missing from the files, and label columns that cannot be one. `heads` by data.train and data.validation.
 *
 * @param data without its defaults if the schema reports an error elsewhere
 */
export function columnFindings(
  doc: ExperimentText,
  task: TaskDescription,
  data: Partial<DataSpec>,
  heads: { train?: DataHead; validation?: DataHead },
  t: Translate,
): Finding[] {
  const missing = namedColumns(task, data).flatMap((column) =>
    (['train', 'validation'] as const).flatMap((part) =>
      missingFindings(doc, task, column, part, heads[part], t),
    ),
  );
  return [...missing, ...labelFindings(doc, task, data, heads.train, t)];
}

function namedColumns(task: TaskDescription, data: Partial<DataSpec>): NamedColumn[] {
  const { textColumn = task.columns.text, textPairColumn, completionColumn, messagesColumn } = data;
  const { imageColumn = task.columns.image, labelColumn = task.columns.label, labelColumns } = data;
  if (messagesColumn !== undefined) return one('messagesColumn', messagesColumn);
  return [
    ...one('textColumn', textColumn),
    ...one('imageColumn', imageColumn),
    ...one('textPairColumn', textPairColumn),
    ...one('completionColumn', completionColumn),
    ...(labelColumns?.map((name, i) => ({ key: 'labelColumns', path: ['data', 'labelColumns', i], name })) ??
      one('labelColumn', labelColumn)),
  ];
}

const one = (key: string, name: string | undefined): NamedColumn[] =>
  name === undefined ? [] : [{ key, path: ['data', key], name }];

function missingFindings(
  doc: ExperimentText,
  task: TaskDescription,
  { key, path, name }: NamedColumn,
  part: 'train' | 'validation',
  head: DataHead | undefined,
  t: Translate,
): Finding[] {
  const all = head?.columns.map((c) => c.name) ?? [];
  if (!head || all.includes(name)) return [];
  const node = doc.node(...path);
  // The default does not fit: reported at the file with the columns.
  const span = node ? { offset: node.offset, length: node.length } : doc.span('data', part);
  const flags = node || key !== 'labelColumn' || task.answer !== 'labels' ? [] : flagColumns(head);
  const likely = nearest(name, all);
  const listed = all.slice(0, LISTED);
  const offered = likely === undefined || listed.includes(likely) ? listed : [likely, ...listed];
  return [
    {
      ...span,
      severity: 'error',
      code: 'column-missing',
      message: t(
        '{0} has no column "{1}" (data.{2}); it has {3}.',
        doc.string('data', part) ?? part,
        name,
        key,
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
