import { nearest } from '../../base/nearest';
import type { DataSpec } from '../../experiment/experiment';
import type { TaskDescription } from '../../experiment/tasks/kind';
import type { DataHead } from '../../table/head';
import type { Translate } from '../translate';
import { columnFacts } from './columns';
import type { ExperimentText } from './experiment-text';
import type { Finding } from './finding';

/** Maximum number of columns in a message or a menu of fixes. */
const LISTED = 50;

/**
 * Columns missing from the files, and a label column that cannot be one. `heads` by data.train and data.validation.
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
  const { textColumn = task.columns.text, labelColumn = task.columns.label } = data;
  const { textPairColumn } = data;
  const columns = {
    textColumn,
    ...(textPairColumn !== undefined && { textPairColumn }),
    ...(labelColumn !== undefined && { labelColumn }),
  };
  const missing = (Object.keys(columns) as (keyof typeof columns)[]).flatMap((key) =>
    (['train', 'validation'] as const).flatMap((part): Finding[] => {
      const head = heads[part];
      const name = columns[key]!;
      const all = head?.columns.map((c) => c.name) ?? [];
      if (!head || all.includes(name)) return [];
      const node = doc.node('data', key);
      // The default does not fit: reported at the file with the columns.
      const span = node ? { offset: node.offset, length: node.length } : doc.span('data', part);
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
          fixes: offered.map((column) =>
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
                  preferred: column === likely,
                },
          ),
        },
      ];
    }),
  );
  return [
    ...missing,
    ...(task.answer === 'label' && labelColumn !== undefined
      ? labelFindings(doc, labelColumn, heads.train, t)
      : []),
  ];
}

function labelFindings(
  doc: ExperimentText,
  name: string,
  head: DataHead | undefined,
  t: Translate,
): Finding[] {
  const column = head?.columns.find((c) => c.name === name);
  if (!head || !column || head.rows < 2) return [];
  const { distinct } = columnFacts(column);
  const span = doc.span('data', 'labelColumn');
  if (distinct === 1 && head.whole)
    return [
      {
        ...span,
        severity: 'error',
        code: 'label-single',
        message: t('Every row has the label "{0}"; two or more labels are needed.', column.values[0]),
        fixes: [],
      },
    ];
  if (head.rows < 50 || distinct < 0.9 * column.values.length) return [];
  return [
    {
      ...span,
      severity: 'warning',
      code: 'label-many',
      message: t(
        '"{0}" has {1} different values in the first {2} rows, so it does not look like a label.',
        name,
        distinct,
        head.rows,
      ),
      fixes: [],
    },
  ];
}
