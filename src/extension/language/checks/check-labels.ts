import { numberIn } from '../../../base/csv';
import { t } from '../../../base/l10n';
import type { DataSpec } from '../../../experiment/experiment';
import type { TaskDescription } from '../../../experiment/tasks/kind';
import { taskWith } from '../../../experiment/tasks/registry';
import { flagOf } from '../../../table/flags';
import type { Column, DataHead } from '../../../table/head';
import { columnFacts, shorten } from '../data-columns';
import type { ExperimentText } from '../../../runs/experiment/experiment-text';
import type { Finding, Fix } from '../finding';

/** Different numbers with decimals that are unlikely to be names of labels. */
const MANY_NUMBERS = 20;
/** Characters of a value in a message. */
const SHOWN = 40;

/** Label columns that cannot hold the answers that the kind of task learns. */
export function labelFindings(
  doc: ExperimentText,
  task: TaskDescription,
  { labelColumn = task.columns.label, labelColumns, onBadRow }: Partial<DataSpec>,
  head: DataHead | undefined,
): Finding[] {
  if (!head || head.rows < 2) return [];
  // A row that cannot be used stops the run, or is left out.
  const severity = onBadRow === 'skip' ? 'warning' : 'error';
  if (task.answer === 'labels' && labelColumns) return flagFindings(doc, labelColumns, head, severity);
  const column = head.columns.find((c) => c.name === labelColumn);
  if (!column) return [];
  if (task.answer === 'label') return classFindings(doc, task, column, head);
  return task.answer === 'number' ? numberFindings(doc, column, head, severity) : [];
}

function classFindings(
  doc: ExperimentText,
  task: TaskDescription,
  column: Column,
  head: DataHead,
): Finding[] {
  const { name, values, lists } = column;
  if (lists) return [];
  const { distinct } = columnFacts(column);
  const span = doc.span('data', 'labelColumn');
  if (distinct === 1 && head.whole)
    return [
      {
        ...span,
        severity: 'error',
        code: 'label-single',
        message: t(
          'Every row has the label "{0}"; two or more labels are needed.',
          shorten(values[0], SHOWN),
        ),
        fixes: [],
      },
    ];
  if (head.rows < 50) return [];
  const numbers = values.map(numberIn);
  const areNumbers = numbers.every((n) => n !== undefined);
  const withDecimals = areNumbers && distinct > MANY_NUMBERS && !numbers.every(Number.isInteger);
  if (!withDecimals && distinct < 0.9 * values.length) return [];
  return [
    {
      ...span,
      severity: 'warning',
      code: 'label-many',
      message: t(
        areNumbers
          ? '"{0}" has {1} different numbers in the first {2} rows, so it does not look like a label.'
          : '"{0}" has {1} different values in the first {2} rows, so it does not look like a label.',
        name,
        distinct,
        head.rows,
      ),
      fixes: areNumbers ? predictNumbers(doc, task) : [],
    },
  ];
}

/** Changes the kind of task to the one that predicts numbers from such an input. */
function predictNumbers(doc: ExperimentText, task: TaskDescription): Fix[] {
  const kind = taskWith({ input: task.input, answer: 'number' });
  if (!kind) return [];
  const title = t('Predict the number: set task.type to "{0}"', kind);
  const type = JSON.stringify(kind);
  const before = doc.node('task', 'type');
  if (before) return [{ offset: before.offset, length: before.length, title, text: type, preferred: true }];
  const section = doc.node('task');
  const at = (section ?? doc.root)!.offset + 1;
  const more = (section ?? doc.root)!.children?.length ? ',' : '';
  const text = section ? ` "type": ${type}${more}` : `\n  "task": { "type": ${type} }${more}`;
  return [{ offset: at, length: 0, title, text, preferred: true }];
}

function numberFindings(
  doc: ExperimentText,
  { name, values }: Column,
  head: DataHead,
  severity: Finding['severity'],
): Finding[] {
  const span = doc.span('data', 'labelColumn');
  const bad = values.find((v) => numberIn(v) === undefined);
  if (bad !== undefined)
    return [
      {
        ...span,
        severity,
        code: 'label-not-number',
        message: t('"{0}" has the value "{1}", which is not a number.', name, shorten(bad, SHOWN)),
        fixes: doc.node('data', 'labelColumn')
          ? head.columns
              .filter((c) => c.values.length > 0 && c.values.every((v) => numberIn(v) !== undefined))
              .map((c) => ({
                ...span,
                title: t('Use the column "{0}"', c.name),
                text: JSON.stringify(c.name),
              }))
          : [],
      },
    ];
  if (!head.whole || new Set(values.map(numberIn)).size !== 1) return [];
  return [
    {
      ...span,
      severity: 'error',
      code: 'label-single',
      message: t('All values are {0}, so there is nothing to learn.', values[0]),
      fixes: [],
    },
  ];
}

function flagFindings(
  doc: ExperimentText,
  labelColumns: readonly string[],
  { columns }: DataHead,
  severity: Finding['severity'],
): Finding[] {
  return labelColumns.flatMap((name, i): Finding[] => {
    const bad = columns.find((c) => c.name === name)?.values.find((v) => flagOf(v) === undefined);
    if (bad === undefined) return [];
    return [
      {
        ...doc.span('data', 'labelColumns', i),
        severity,
        code: 'label-not-flag',
        message: t('"{0}" has the value "{1}", which is not 0 or 1.', name, shorten(bad, SHOWN)),
        fixes: [],
      },
    ];
  });
}
