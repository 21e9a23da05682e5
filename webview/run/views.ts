import { metricInfo } from '../../src/experiment/metrics';
import { alarmName, alarmsOf } from '../../src/protocol/alarms/alarms';
import type { ChartView } from '../charts/line-chart';
import type { Curve } from '../charts/curve';
import type { Mark } from '../charts/marks';
import { t } from '../ui/l10n';
import type { RunData, XAxis } from './model';
import { smoothedRecords, type Quantity } from './quantities';

/** The page's view state. */
export interface RunUi {
  axis: XAxis;
  /** Weight of the past in smoothed curves; 0 for none. */
  weight: number;
  log: boolean;
  raw: boolean;
  validation: boolean;
  /** Folders. */
  hidden: string[];
  /** In units of the axis; undefined for everything. */
  zoom?: [min: number, max: number];
}

export const DEFAULT_UI: RunUi = {
  axis: 'step',
  weight: 0.9,
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

/** Within `full`, and not too narrow to see. */
export function clampZoom(
  zoom: readonly [number, number],
  full: readonly [number, number],
): [number, number] | undefined {
  const width = Math.max(zoom[1] - zoom[0], (full[1] - full[0]) / 1e6);
  if (!(width < full[1] - full[0])) return undefined;
  const min = Math.min(Math.max(zoom[0], full[0]), full[1] - width);
  return [min, min + width];
}

export const visibleRuns = (runs: readonly RunData[], ui: RunUi): RunData[] =>
  runs.filter((r) => !ui.hidden.includes(r.folder));

export function makeView(
  quantity: Quantity,
  runs: readonly RunData[],
  ui: RunUi,
  range: [number, number],
): ChartView {
  return {
    // Smoothed curves are on top of raw ones, whichever run they belong to.
    curves: visibleRuns(runs, ui)
      .flatMap((run) => curvesOf(quantity, run, ui))
      .sort((a, b) => Number(b.faint ?? false) - Number(a.faint ?? false)),
    marks: quantity.key === 'loss' ? visibleRuns(runs, ui).flatMap((r) => marksOf(r, ui.axis)) : [],
    min: range[0],
    max: range[1],
    log: ui.log && quantity.log === true,
    fromZero: quantity.fromZero,
    within: quantity.metric && metricInfo(quantity.metric).range,
    xLabel: axisLabel(ui.axis),
  };
}

function curvesOf(quantity: Quantity, run: RunData, ui: RunUi): Curve[] {
  const style = { color: run.index, dash: run.index };
  const curves: Curve[] = [];
  if (quantity.records) {
    const x = run.x(ui.axis);
    const smooth = quantity.smoothed === true && ui.weight > 0;
    if (ui.raw || !smooth)
      curves.push({
        ...style,
        x,
        y: quantity.records(run),
        width: smooth ? 1 : 2,
        faint: smooth,
        dash: smooth ? 0 : run.index,
      });
    if (smooth) curves.push({ ...style, x, y: smoothedRecords(quantity, run, ui.weight), width: 2 });
  }
  if (quantity.metric && (ui.validation || !quantity.records)) {
    const evaluations = run.evaluations;
    curves.push({
      ...style,
      x: Float64Array.from(evaluations, (e) => run.xOfStep(e.step, ui.axis)),
      y: Float64Array.from(evaluations, (e) => run.metric(e, quantity.metric!)),
      // Thinner beside a training curve.
      width: quantity.records ? 1 : 2,
      points: true,
    });
  }
  return curves;
}

function marksOf(run: RunData, axis: XAxis): Mark[] {
  const marks: Mark[] = (run.facts?.checkpoints ?? []).map((step) => ({ x: run.xOfStep(step, axis) }));
  const forked = run.forked;
  if (forked) marks.push({ x: run.xOfStep(forked.fromStep, axis), label: t('forked') });
  for (const e of run.events)
    if (e.kind === 'resumed' && e.fromStep > 0 && e.fromStep !== forked?.fromStep)
      marks.push({ x: run.xOfStep(e.fromStep, axis), label: t('resumed') });
  const alarms = alarmsOf(run.events);
  for (const step of new Set(alarms.map((a) => a.step))) {
    const names = alarms.filter((a) => a.step === step).map(({ alarm }) => alarmName(alarm, t));
    marks.push({ x: run.xOfStep(step, axis), label: names.join(', '), alarm: true });
  }
  return marks;
}
