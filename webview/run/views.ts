import type { ChartView } from '../charts/line-chart';
import type { Curve } from '../charts/curve';
import { t } from '../../src/base/l10n';
import { marksOf } from './charts/marks';
import type { Measured, RunData, XAxis } from './model';
import { ownSeries, smoothedRecords, type Quantity } from './quantities';
import { weightFor } from '../../src/study/smoothing';

/** The page's view state. */
export interface RunUi {
  axis: XAxis;
  /** Weight of the past in smoothed curves, 0 for none; if left out, what suits the runs' length. */
  smoothing?: number;
  log: boolean;
  raw: boolean;
  validation: boolean;
  /** Folders. */
  hidden: string[];
  /** In units of the axis; undefined for everything. */
  zoom?: [min: number, max: number];
}

/** With the weight that curves are smoothed with. */
export interface DrawnUi extends RunUi {
  weight: number;
}

/** @param runs that are drawn */
export const drawnUi = (ui: RunUi, runs: readonly RunData[]): DrawnUi => ({
  ...ui,
  weight: ui.smoothing ?? weightFor(Math.max(0, ...runs.map((r) => r.records))),
});

export const DEFAULT_UI: RunUi = {
  axis: 'step',
  log: false,
  raw: true,
  validation: true,
  hidden: [],
};

export const axisLabel = (axis: XAxis): string =>
  ({ step: t('Step'), epoch: t('Epoch'), time: t('Time (excluding pauses)') })[axis];

/** The x range of all visible runs. */
export function fullRange(runs: readonly RunData[], axis: XAxis): [number, number] {
  let [min, max] = [Infinity, -Infinity];
  for (const run of runs) {
    const x = run.x(axis);
    if (x.length === 0) continue;
    if (Number.isFinite(x[0])) min = Math.min(min, x[0]);
    if (Number.isFinite(x[x.length - 1])) max = Math.max(max, x[x.length - 1]);
  }
  if (min > max) return [0, 1];
  return min === max ? [min - 0.5, max + 0.5] : [min, max];
}

/** Within `full`, and not too narrow to see. @param least width that says something, such as two steps */
export function clampZoom(
  zoom: readonly [number, number],
  full: readonly [number, number],
  least = 0,
): [number, number] | undefined {
  const width = Math.max(zoom[1] - zoom[0], (full[1] - full[0]) / 1e6, least);
  if (!(width < full[1] - full[0])) return undefined;
  const min = Math.min(Math.max(zoom[0], full[0]), full[1] - width);
  return [min, min + width];
}

/** The same for an axis: less than two steps have nothing in between. */
export const zoomOn = (
  axis: XAxis,
  zoom: readonly [number, number],
  full: readonly [number, number],
): [number, number] | undefined => clampZoom(zoom, full, axis === 'step' ? 2 : 0);

export const visibleRuns = (runs: readonly RunData[], ui: RunUi): RunData[] =>
  runs.filter((r) => !ui.hidden.includes(r.folder));

export function makeView(
  quantity: Quantity,
  runs: readonly RunData[],
  ui: DrawnUi,
  range: [number, number],
): ChartView {
  const shown = visibleRuns(runs, ui);
  return {
    // Smoothed curves are on top of raw ones, whichever run they belong to.
    curves: shown
      .flatMap((run) => curvesOf(quantity, run, ui))
      .sort((a, b) => Number(b.faint ?? false) - Number(a.faint ?? false)),
    marks: quantity.key === 'loss' ? shown.flatMap((r) => marksOf(r, ui.axis, runs.length > 1)) : [],
    min: range[0],
    max: range[1],
    log: ui.log && quantity.log === true,
    fromZero: quantity.fromZero,
    within: quantity.within,
    xLabel: axisLabel(ui.axis),
  };
}

function curvesOf(quantity: Quantity, run: RunData, ui: DrawnUi): Curve[] {
  const style = { color: run.index, dash: run.index };
  const curves: Curve[] = [];
  if (quantity.records || quantity.sampled) {
    const { x, y } = ownSeries(quantity, run, ui.axis);
    const smooth = isSmoothed(quantity, ui);
    if (ui.raw || !smooth)
      curves.push({ ...style, x, y, width: smooth ? 1 : 2, faint: smooth, dash: smooth ? 0 : run.index });
    if (smooth) curves.push({ ...style, x, y: smoothedRecords(quantity, run, ui.weight), width: 2 });
  }
  if (showsValidation(quantity, ui)) {
    const of = (evaluations: readonly Measured[]) => ({
      ...{ ...style, width: 2, points: true, validation: true },
      x: Float64Array.from(evaluations, (e) => run.xOfStep(e.step, ui.axis)),
      y: Float64Array.from(evaluations, (e) => run.metric(e, quantity.metric!)),
    });
    const { measured } = run;
    const diverged = measured.filter((e) => e.diverged);
    curves.push(of(measured));
    if (diverged.length > 0) curves.push({ ...of(diverged), crosses: true });
  }
  return curves;
}

export const isSmoothed = ({ smoothed }: Quantity, { weight }: DrawnUi): boolean =>
  smoothed === true && weight > 0;

/** A metric's own chart always shows it; beside the training loss, the validation loss can be hidden. */
export const showsValidation = ({ metric, records }: Quantity, { validation }: DrawnUi): boolean =>
  metric !== undefined && (validation || !records);
