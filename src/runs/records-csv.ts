import { own } from '../base/names';
import { scoredOn } from '../experiment/evaluation-sets';
import { METRICS } from '../experiment/metrics';
import { type AnyEvaluation, isAnyEvaluation } from '../protocol/evaluations';
import type { DivergedEvaluation, EventBase, RunEvent, TestEvaluation } from '../protocol/events';

/** Rows to build before other work gets its turn on the thread. */
const ROWS_AT_A_TIME = 20_000;

/** Every record with every column. Reading the numbers back gives the same float64 values. */
export async function recordsCsv(columns: readonly string[], rows: Float64Array): Promise<string> {
  const width = columns.length;
  const records = width === 0 ? 0 : rows.length / width;
  const parts = [`${columns.map(csvCell).join(',')}\n`];
  for (let from = 0; from < records; from += ROWS_AT_A_TIME) {
    let part = '';
    for (let i = from; i < Math.min(records, from + ROWS_AT_A_TIME); i++)
      part += `${rows.subarray(i * width, (i + 1) * width).join(',')}\n`;
    parts.push(part);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return parts.join('');
}

/**
 * Every evaluation in the journal, like recordsCsv. One of a diverged model has its numbers, as far as they are finite,
 * and the reason in a column `diverged`. A run with scores on other sets has a column `set`: "validation", "test", or the
 * name in data.evaluations after "evaluations.".
 */
export function evaluationsCsv(events: readonly RunEvent[]): string {
  const scores = events.filter((e) => e.kind === 'test-evaluation');
  const rows = [...events.filter(isAnyEvaluation).map(evaluationRow), ...scores.map(scoreRow)];
  const found = rows.flatMap(({ metrics }) => Object.keys(metrics).filter((name) => name !== 'absentLabels'));
  const names = [...new Set(found.length > 0 ? found : METRICS)];
  const sets = scores.length > 0;
  const marked = rows.some((row) => row.diverged !== '');
  const cells = (row: CsvRow): unknown[] => [
    ...(sets ? [row.set] : []),
    ...[row.step, row.epoch, ...names.map((name) => own(row.metrics, name) ?? ''), row.best],
    ...[...(marked ? [row.diverged] : []), row.seconds, row.t],
  ];
  return [
    [
      ...(sets ? ['set'] : []),
      'step',
      'epoch',
      ...names,
      'best',
      ...(marked ? ['diverged'] : []),
      'seconds',
      'time',
    ],
    ...rows.map(cells),
  ]
    .map((row) => `${row.map(csvCell).join(',')}\n`)
    .join('');
}

interface CsvRow {
  set: string;
  step: number;
  epoch: number | '';
  metrics: Record<string, unknown>;
  /** Why; empty if it has not. */
  diverged: DivergedEvaluation['reason'] | '';
  best: boolean | '';
  seconds: number;
  t: number;
}

function evaluationRow(e: AnyEvaluation): CsvRow {
  const { step, epoch, seconds, t } = e;
  const diverged = e.kind === 'diverged-evaluation' ? e.reason : '';
  const metrics = (e.metrics ?? {}) as Record<string, unknown>;
  return {
    set: 'validation',
    step,
    epoch,
    metrics,
    diverged,
    best: e.kind === 'evaluation' && e.best,
    seconds,
    t,
  };
}

function scoreRow({ set, step, metrics, seconds, t }: TestEvaluation & EventBase): CsvRow {
  const diverged = metrics === 'diverged';
  return {
    set: scoredOn(set),
    ...{ step, epoch: '', best: '', seconds, t, diverged: diverged ? 'non-finite' : '' },
    metrics: diverged ? {} : (metrics as Record<string, unknown>),
  };
}

/** RFC 4180: quoted if it contains a comma, a quote or a line break. */
const csvCell = (value: unknown): string => {
  // An object's toString may not be a function.
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
