import { alarmName, alarmSentence, alarmsOf } from '../../src/protocol/alarms';
import type { Mark } from '../charts/chart-marks';
import { t } from '../../src/base/l10n';
import { formatCount } from './run-numbers';
import type { RunData, XAxis, Measured } from './run-data';
import type { ChartView } from '../charts/line-chart';
import type { Curve } from '../charts/curve';
import { ownSeries, smoothedRecords, type Quantity } from './quantities';
import { weightFor } from '../../src/study/smoothing';

/** The events of a run as flags of its loss curve. @param several names the run in each */
function marksOf(run: RunData, axis: XAxis, several = false): Mark[] {
  const marks: Mark[] = [];
  const add = (kind: Mark['kind'], step: number, label: string, more = '') => {
    const words = [t('Step {0}: {1}', formatCount(step), label), more].filter(Boolean).join('. ');
    const text = several ? `${run.facts?.name ?? run.folder}: ${words}` : words;
    marks.push({ x: place(run, step, axis), kind, label, text });
  };
  for (const step of run.facts?.checkpoints ?? []) add('checkpoint', step, t('checkpoint'));
  const best = run.evaluations.findLast((e) => e.best);
  if (best) add('best', best.step, t('best evaluation'));
  const { forked } = run;
  if (forked) add('fork', forked.fromStep, t('forked from {0}', forked.fromRun));
  for (const e of run.events) {
    if (e.kind === 'resumed' && e.fromStep > 0 && e.fromStep !== forked?.fromStep)
      add('resumed', e.fromStep, t('resumed'));
    else if (e.kind === 'warning') add('warning', run.stepAt(e.t), t('warning'), e.message);
    else if (e.kind === 'stopped')
      add('stopped', e.step, e.reason === 'early-stopping' ? t('stopped early') : t('stopped'));
    else if (e.kind === 'failed') add('stopped', e.step, t('failed'), e.message);
  }
  for (const alarm of alarmsOf(run.events))
    add('alarm', alarm.step, alarmName(alarm.alarm), alarmSentence(alarm).replace(/\.$/, ''));
  return marks;
}

/** Events before the first step are shown at it. */
function place(run: RunData, step: number, axis: XAxis): number {
  const x = run.x(axis);
  const at = run.xOfStep(step, axis);
  return x.length > 0 && !(at > x[0]) ? x[0] : at;
}

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

const axisLabel = (axis: XAxis): string =>
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

/** Limits the zoom of an axis: less than two steps have nothing in between. */
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
