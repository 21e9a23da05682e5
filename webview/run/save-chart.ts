import { csv } from '../../src/base/csv';
import type { ChartFormat } from '../../src/protocol/panels/save-chart';
import type { ChartOptions, ChartView } from '../charts/line-chart';
import { pictureOf, type LegendEntry } from '../charts/chart-picture';
import { pngOf, svgOf } from '../charts/picture-files';
import { chartColors } from '../charts/chart-colors';
import { t } from '../../src/base/l10n';
import type { RunData } from './run-data';
import { ownSeries, type Quantity } from './quantities';
import { isSmoothed, showsValidation, type DrawnUi } from './chart-views';

/** CSS pixels. */
const SIZE = { width: 840, height: 420 };

/**
 * A chart as the content of a file: a picture of what is in view, with its legend, or every value as CSV.
 *
 * @returns text; a PNG in Base64
 */
export async function chartFile(
  format: ChartFormat,
  quantity: Quantity,
  runs: readonly RunData[],
  ui: DrawnUi,
  view: ChartView,
  options: ChartOptions,
): Promise<string> {
  if (format === 'csv') return chartCsv(quantity, runs);
  const picture = pictureOf(view, {
    ...SIZE,
    ...{ formatX: options.formatX, formatY: options.formatY, ticksX: options.ticksX, ticksY: options.ticksY },
    title: runs.length === 1 ? `${quantity.title()} · ${runs[0].facts?.name ?? ''}` : quantity.title(),
    legend: legendOf(quantity, runs, ui),
    colors: chartColors(),
    increments: options.xIncrements?.(),
  });
  const svg = svgOf(picture);
  return format === 'svg' ? svg : pngOf(svg, picture);
}

function legendOf(quantity: Quantity, runs: readonly RunData[], ui: DrawnUi): LegendEntry[] {
  const smooth = isSmoothed(quantity, ui);
  return runs.flatMap((run): LegendEntry[] => {
    const named = (words: string) =>
      runs.length === 1 ? words : [run.facts?.name ?? run.folder, words].filter(Boolean).join(', ');
    const style = { color: run.index, dash: run.index, width: 2 };
    const both = quantity.metric !== undefined && quantity.records !== undefined;
    const entries: LegendEntry[] = [];
    if (quantity.records || quantity.sampled) {
      if (smooth && ui.raw)
        entries.push({ curve: { ...style, dash: 0, width: 1, faint: true }, text: named(t('each step')) });
      entries.push({
        curve: style,
        text: named(
          smooth ? t('smoothed') : both ? t('training') : runs.length === 1 ? quantity.title() : '',
        ),
      });
    }
    if (showsValidation(quantity, ui))
      entries.push({ curve: { ...style, validation: true, points: true }, text: named(t('validation')) });
    if (showsValidation(quantity, ui) && run.measured.some((e) => e.diverged))
      entries.push({ curve: { ...style, points: true, crosses: true }, text: named(t('diverged')) });
    return entries;
  });
}

interface Row {
  step: number;
  epoch: number;
  /** By column. */
  values: (number | undefined)[];
}

/** Every value of the runs with all its digits, in the order of steps; empty where a step has none. */
export function chartCsv(quantity: Quantity, runs: readonly RunData[]): string {
  const { key, metric, records, sampled } = quantity;
  const names = sampled ? ['time', key] : metric && records ? [key, `validation ${metric}`] : [key];
  const several = runs.length > 1;
  const number = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? '' : value);
  return csv([
    [...(several ? ['run'] : []), 'step', 'epoch', ...names],
    ...runs.flatMap((run) =>
      rowsOf(quantity, run).map(({ step, epoch, values }) => [
        ...(several ? [run.facts?.name ?? run.folder] : []),
        ...[step, epoch, ...values].map(number),
      ]),
    ),
  ]);
}

function rowsOf(quantity: Quantity, run: RunData): Row[] {
  const { metric, records, sampled } = quantity;
  const evaluations = metric ? run.measured : [];
  const own = Array.from(ownSeries(quantity, run, 'step').y);
  if (sampled) {
    const [step, time, epoch] = [
      run.resources.column('step'),
      run.resources.column('time'),
      run.resources.x('epoch'),
    ];
    return own.map((value, i) => ({ step: step[i], epoch: epoch[i], values: [time[i], value] }));
  }
  if (!records)
    return evaluations.map((e) => ({ step: e.step, epoch: e.epoch, values: [run.metric(e, metric!)] }));
  const [steps, epochs] = [run.column('step'), run.x('epoch')];
  const rows = own.map((value, i): Row => ({ step: steps[i], epoch: epochs[i], values: [value] }));
  if (!metric) return rows;
  const at = new Map(rows.map((row) => [row.step, row]));
  for (const row of rows) row.values.push(undefined);
  for (const e of evaluations) {
    const row = at.get(e.step) ?? { step: e.step, epoch: e.epoch, values: [undefined, undefined] };
    if (!at.has(e.step)) rows.push(row);
    row.values[1] = run.metric(e, metric);
  }
  return rows.sort((a, b) => a.step - b.step);
}
