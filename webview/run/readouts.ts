import { nearest } from '../charts/search';
import { divergedCount } from '../../src/protocol/alarms';
import { t } from '../../src/base/l10n';
import type { Readout } from './chart-figure';
import type { Measured, RunData } from './model';
import { ownSeries, smoothedRecords, type Quantity } from './quantities';
import { isSmoothed, showsValidation, type DrawnUi } from './views';

/** A number that a chart shows at an x. */
export interface Value {
  of: 'own' | 'smoothed' | 'validation';
  text: string;
  /** All digits. */
  exact: number;
  /** Of a validation metric: where it was measured. */
  step?: number;
  /** Of a validation metric: the model had diverged. */
  diverged?: boolean;
}

/** The values of a run nearest to the cursor's x; the last ones without a cursor. */
export function valuesAt(quantity: Quantity, run: RunData, ui: DrawnUi, cursor: number | undefined): Value[] {
  const values: Value[] = [];
  const add = (of: Value['of'], exact: number, at?: Pick<Measured, 'step' | 'diverged'>) => {
    const number = quantity.format(exact);
    const text = at?.diverged ? t('{0}, diverged', number) : number;
    values.push({ of, exact, text, ...(at && { step: at.step, diverged: at.diverged }) });
  };
  if (quantity.records || quantity.sampled) {
    const { x, y } = ownSeries(quantity, run, ui.axis);
    const at = cursor === undefined ? y.length - 1 : nearest(x, cursor);
    add('own', at < 0 ? NaN : y[at]);
    if (isSmoothed(quantity, ui) && at >= 0) add('smoothed', smoothedRecords(quantity, run, ui.weight)[at]);
  }
  if (showsValidation(quantity, ui)) {
    const evaluations = run.measured;
    const x = Float64Array.from(evaluations, (e) => run.xOfStep(e.step, ui.axis));
    const at = cursor === undefined ? evaluations.length - 1 : nearest(x, cursor);
    if (at >= 0) add('validation', run.metric(evaluations[at], quantity.metric!), evaluations[at]);
    else if (!quantity.records) add('validation', NaN);
  }
  return values;
}

/** The values beside a chart's heading. */
export function readouts(
  quantity: Quantity,
  runs: readonly RunData[],
  ui: DrawnUi,
  cursor: number | undefined,
): Readout[] {
  // Without the value of each step where that is not drawn.
  const smoothAlone = isSmoothed(quantity, ui) && !ui.raw;
  const words = {
    own: '',
    smoothed: smoothAlone ? '' : t('smoothed'),
    validation: quantity.records ? t('validation') : '',
  };
  return runs.map((run) => {
    const values = valuesAt(quantity, run, ui, cursor).filter((v) => v.of !== 'own' || !smoothAlone);
    return {
      index: run.index,
      name: run.facts?.name ?? run.folder,
      validation: quantity.metric !== undefined && !quantity.records,
      value: values.map(({ of, text }) => [words[of], text].filter(Boolean).join(' ')).join(' · ') || '–',
      exact: values.map(({ exact }) => String(exact)).join(' · '),
    };
  });
}

/** A chart in one or two sentences, for those who cannot see it. */
export function chartSummary(quantity: Quantity, runs: readonly RunData[]): string {
  return runs
    .map((run) => {
      const name = run.facts?.name ?? run.folder;
      const values =
        quantity.records || quantity.sampled
          ? ownSeries(quantity, run, 'step').y
          : Float64Array.from(run.measured, (e) => run.metric(e, quantity.metric!));
      let [low, high] = [Infinity, -Infinity];
      for (const v of values) {
        if (v < low) low = v;
        if (v > high) high = v;
      }
      if (low > high) return t('{0}: no values yet.', name);
      const last = values[values.length - 1];
      const numbers = [last, low, high].map(quantity.format);
      const diverged = quantity.metric && !quantity.records ? divergedCount(run.events) : 0;
      return diverged === 0
        ? t('{0}: last {1}, between {2} and {3}.', name, ...numbers)
        : t('{0}: last {1}, between {2} and {3}; {4} diverged.', name, ...numbers, diverged);
    })
    .join(' ');
}
