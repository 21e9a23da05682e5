import { csv } from '../../base/csv';
import { t } from '../../base/l10n';
import { count, rateNumber } from '../../base/number-text';
import { metricInfo } from '../../experiment/metrics';
import type { Part, Report } from '../../protocol/reports/report';
import { factorOf } from '../metric';
import { comparisonWords } from '../study-words';
import { tableCells, tableComparisons, type TableCell, type TableMethod, type TaskRuns } from './table-cells';

/** A table of the paper with what was trained of it. */
export interface ReproducedTable {
  /** "GLUE, RoBERTa-Base" */
  title: string;
  /** The reference for the paper. */
  source: string;
  methods: readonly TableMethod[];
  tasks: readonly TaskRuns[];
  /** True if all data sets of the paper's table were trained. */
  isWhole: boolean;
  /** Data sets that could not be had or trained, with the reason in a sentence. */
  missing: readonly { name: string; why: string }[];
  /** Sentences about this table: other settings than the paper's, remarks on its numbers. */
  notes: readonly string[];
}

/** The table as a report: table.md and the terminal show it. */
export function tableReport(table: ReproducedTable): Report {
  const { title, source, methods, tasks, isWhole, missing } = table;
  const cells = tableCells(methods, tasks, isWhole);
  const compared = tableComparisons(tasks);
  const tests = compared.filter(({ comparison }) => comparison.chance !== undefined).length;
  const printed = new Set(cells.flatMap(({ column, paper }) => (paper === undefined ? [] : [column])));
  const isPrinted = printed.size > 0;
  // The paper has only the average of the static and dynamic forms.
  const shown = isPrinted ? cells.filter(({ column }) => printed.has(column)) : cells;
  const parts: Part[] = [
    isPrinted
      ? t('The numbers of the AuroRA paper ({0}) beside those of this machine.', source)
      : t('The AuroRA paper ({0}) has no numbers for these cells.', source),
    {
      columns: [
        t('Data set'),
        t('Metric'),
        t('Method'),
        ...(isPrinted ? [{ number: t('Paper') }] : []),
        { number: t('Here') },
        ...(isPrinted ? [{ number: t('Difference') }, t('Beyond chance')] : []),
        { number: t('Seeds') },
        { number: t('Learning rate') },
        { number: t('Parameters') },
      ],
      rows: shown.map((cell) => [
        cell.column,
        metricTitle(cell),
        cell.method,
        ...(isPrinted ? [cell.paper?.toFixed(1) ?? ''] : []),
        oursText(cell),
        ...(isPrinted ? [signed(cell), markOf(cell)] : []),
        String(cell.seeds.length),
        cell.learningRate === undefined ? '' : rateNumber(cell.learningRate),
        cell.parameters === undefined ? '' : count(cell.parameters),
      ]),
    },
  ];
  if (missing.length > 0)
    parts.push({
      problems: missing.map(({ name, why }) => ({
        kind: 'problem',
        severity: 'warning',
        message: t('{0} is missing: {1}', name, why),
      })),
    });
  if (compared.length > 0)
    parts.push(
      { heading: t('Differences between the methods') },
      {
        list: compared.map(({ name, metric, comparison }) =>
          t('{0}: {1}', name, comparisonWords(comparison, { metric, tests })),
        ),
      },
    );
  parts.push({ heading: t('How to read it') }, { list: notesOf(table, shown, cells.length - shown.length) });
  return { title, parts };
}

const metricTitle = ({ metric }: TableCell): string => {
  const { label, percent } = metricInfo(metric);
  return percent ? t('{0}, %', t(label)) : factorOf(metric) === 100 ? t('{0} × 100', t(label)) : t(label);
};

/** "91.9 ± 0.4", half of the 95% interval. */
function oursText({ ours, metric }: TableCell): string {
  if (!ours) return '–';
  const text = (value: number) => value.toFixed(factorOf(metric) === 100 ? 1 : metricInfo(metric).digits);
  return ours.half === undefined ? text(ours.mean) : `${text(ours.mean)} ± ${text(ours.half)}`;
}

function signed({ difference }: TableCell): string {
  if (difference === undefined) return '';
  const text = Math.abs(difference).toFixed(1);
  return Number(text) === 0 ? text : `${difference < 0 ? '−' : '+'}${text}`;
}

const markOf = ({ difference, isBeyond }: TableCell): string =>
  difference === undefined ? '' : isBeyond === undefined ? t('not known') : isBeyond ? t('yes') : t('no');

function notesOf(
  { methods, tasks, notes }: ReproducedTable,
  cells: readonly TableCell[],
  hidden: number,
): string[] {
  const isMarked = cells.some(({ isBeyond }) => isBeyond !== undefined);
  const trained = tasks.flatMap((task) =>
    methods.flatMap(({ label }) => {
      const runs = task.methods[label];
      return runs ? [{ name: task.name, label, ...runs }] : [];
    }),
  );
  const ends = trained.flatMap(({ name, label, isAtEnd, learningRate }) =>
    isAtEnd
      ? [
          t(
            'The best learning rate of {0} on {1}, {2}, is at the end of those that were tried: a wider search may find a better one.',
            ...([label, name, rateNumber(learningRate)] as const),
          ),
        ]
      : [],
  );
  const lost = trained.flatMap(({ name, label, diverged }) =>
    diverged.length > 0
      ? [
          t(
            'Training of {0} on {1} diverged with seeds {2}, which are in no number.',
            ...([label, name, diverged.join(', ')] as const),
          ),
        ]
      : [],
  );
  return [
    trained.some(({ tried }) => tried > 1)
      ? t(
          'Here: the mean over the seeds at the learning rate that was best on the first one, ± half of its 95% interval (Student’s t over seeds). All methods are searched with the same rates.',
        )
      : t(
          'Here: the mean over the seeds, ± half of its 95% interval (Student’s t over seeds). No learning rate was searched.',
        ),
    ...(hidden > 0 ? [t('table.csv also has the cells for which the paper has no numbers.')] : []),
    ...(isMarked
      ? [
          t(
            'A cell is marked if the paper’s number, as it is rounded, is outside that interval. The paper gives no spread, so its own chance is not counted, nor that of another split of the data; and of 20 equal cells, about one is marked.',
          ),
        ]
      : []),
    ...(cells.some(({ difference, isBeyond }) => difference !== undefined && isBeyond === undefined)
      ? [t('With one seed there is no interval, and no cell can be marked.')]
      : []),
    ...ends,
    ...lost,
    ...notes,
  ];
}

/** The cells as comma-separated values, in full precision. */
export function tableCsv({ methods, tasks, isWhole }: ReproducedTable): string {
  const head = [
    ...['data set', 'metric', 'method', 'paper', 'here', 'low', 'high', 'difference', 'beyond chance'],
    ...['seeds', 'learning rate', 'parameters'],
  ];
  const rows = tableCells(methods, tasks, isWhole).map((cell) => {
    const { ours, isBeyond } = cell;
    const half = ours?.half;
    return [
      ...[cell.column, cell.metric, cell.method, cell.paper ?? '', ours?.mean ?? ''],
      ...(ours === undefined || half === undefined ? ['', ''] : [ours.mean - half, ours.mean + half]),
      ...[cell.difference ?? '', isBeyond === undefined ? '' : isBeyond ? 'yes' : 'no'],
      ...[cell.seeds.join(' '), cell.learningRate ?? '', cell.parameters ?? ''],
    ];
  });
  return csv([head, ...rows]);
}
