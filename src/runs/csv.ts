import { isMetric, METRICS } from '../experiment/metrics';
import type { RunEvent } from '../protocol/events';
import { own } from '../base/names';
import { isAnyEvaluation } from '../protocol/evaluations';

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

/** Every evaluation in the journal, like recordsCsv. A diverged one has `diverged` in place of each metric. */
export function evaluationsCsv(events: readonly RunEvent[]): string {
  const evaluations = events.filter(isAnyEvaluation);
  const found = evaluations.flatMap((e) => Object.keys(e.metrics ?? {}));
  const names = [...new Set(found.length > 0 ? found : METRICS)];
  const rows = evaluations.map((e) => {
    const metrics = (e.metrics ?? {}) as unknown as Record<string, unknown>;
    const diverged = e.kind === 'diverged-evaluation';
    const cell = (name: string) => (diverged && isMetric(name) ? 'diverged' : (own(metrics, name) ?? ''));
    return [e.step, e.epoch, ...names.map(cell), !diverged && e.best, e.seconds, e.t];
  });
  return [['step', 'epoch', ...names, 'best', 'seconds', 'time'], ...rows]
    .map((row) => `${row.map(csvCell).join(',')}\n`)
    .join('');
}

/** RFC 4180: quoted if it contains a comma, a quote or a line break. */
const csvCell = (value: unknown): string => {
  // An object's toString may not be a function.
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
