import { own } from '../../base/names';
import { rateText } from '../../base/number-text';
import { isBetter, type MetricName } from '../../experiment/metrics';
import type { PageTrial } from '../../protocol/panels/sweep';
import type { Axis } from './axis';

/** The value that a cell shows for the trials that differ in other settings. */
export type CellValue = 'best' | 'mean';

export interface HeatCell {
  /** Undefined if none of its trials has a result. */
  value?: number;
  /** Trials with a result. */
  measured: number;
  trials: PageTrial[];
}

export interface HeatMap {
  /** Labels of columns and rows in the order of their axes. */
  columns: string[];
  rows: string[];
  /** Row by row. */
  cells: HeatCell[][];
  /** The smallest and largest value of a cell; undefined before the first result. */
  range?: [low: number, high: number];
}

/** Numbers with more distinct values are put into bins of equal width on their axis. */
const MOST_VALUES = 12;
export const BINS = 8;

/** The trials by two settings. Trials that lack a setting, or are not to be trained, are left out. */
export function heatMap(
  trials: readonly PageTrial[],
  x: Axis,
  y: Axis,
  { metric, show }: { metric: MetricName; show: CellValue },
): HeatMap {
  const [columns, rows] = [binsOf(x), binsOf(y)];
  const cells = rows.labels.map(() => columns.labels.map((): HeatCell => ({ measured: 0, trials: [] })));
  for (const trial of trials) {
    if (trial.state === 'dropped' || trial.state === 'passed-over') continue;
    const [i, j] = [columns.of(valueOf(trial, x)), rows.of(valueOf(trial, y))];
    if (i !== undefined && j !== undefined) cells[j][i].trials.push(trial);
  }
  for (const cell of cells.flat()) {
    const values = cell.trials.flatMap((t) => (t.state === 'diverged' ? [] : (t.metric ?? [])));
    cell.measured = values.length;
    if (values.length > 0)
      cell.value =
        show === 'mean'
          ? values.reduce((a, b) => a + b, 0) / values.length
          : values.reduce((best, v) => (isBetter(metric, v, best) ? v : best));
  }
  const known = cells.flat().flatMap((c) => c.value ?? []);
  return {
    columns: columns.labels,
    rows: rows.labels,
    cells,
    ...(known.length > 0 && { range: [Math.min(...known), Math.max(...known)] as [number, number] }),
  };
}

const valueOf = ({ settings }: PageTrial, { key }: Axis): unknown => own(settings, key);

function binsOf(axis: Axis): { labels: string[]; of(value: unknown): number | undefined } {
  if (axis.kind === 'category' || axis.values.length <= MOST_VALUES) {
    const index = new Map(axis.values.map((v, i) => [axis.text(v), i]));
    return {
      labels: axis.values.map((v) => axis.text(v)),
      of: (value) => (value === undefined ? undefined : index.get(axis.text(value))),
    };
  }
  const [low, high] = [axis.values[0] as number, axis.values.at(-1) as number];
  const edge = (k: number) =>
    axis.kind === 'log' ? low * (high / low) ** (k / BINS) : low + ((high - low) * k) / BINS;
  return {
    labels: Array.from({ length: BINS }, (_, k) => `${rateText(edge(k))} – ${rateText(edge(k + 1))}`),
    of(value) {
      const at = axis.at(value);
      return at === undefined ? undefined : Math.min(BINS - 1, Math.floor(at * BINS));
    },
  };
}
