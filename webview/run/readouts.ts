import { nearest } from '../charts/search';
import { t } from '../ui/l10n';
import type { Readout } from './chart-figure';
import type { RunData } from './model';
import { smoothedRecords, type Quantity } from './quantities';
import type { RunUi } from './views';

/** The values of each run nearest to the cursor's x; the last ones without a cursor. */
export function readouts(
  quantity: Quantity,
  runs: readonly RunData[],
  ui: RunUi,
  cursor: number | undefined,
): Readout[] {
  return runs.map((run) => {
    const parts: { text: string; exact: number }[] = [];
    const add = (label: string, exact: number) =>
      parts.push({ text: label ? `${label} ${quantity.format(exact)}` : quantity.format(exact), exact });
    if (quantity.records) {
      const at = cursor === undefined ? run.records - 1 : nearest(run.x(ui.axis), cursor);
      add('', at < 0 ? NaN : quantity.records(run)[at]);
      if (quantity.smoothed && ui.weight > 0 && at >= 0)
        add(t('smoothed'), smoothedRecords(quantity, run, ui.weight)[at]);
    }
    if (quantity.metric && (ui.validation || !quantity.records)) {
      const evaluations = run.evaluations;
      const x = Float64Array.from(evaluations, (e) => run.xOfStep(e.step, ui.axis));
      const at = cursor === undefined ? evaluations.length - 1 : nearest(x, cursor);
      if (at >= 0 || !quantity.records)
        add(
          quantity.records ? t('validation') : '',
          at < 0 ? NaN : run.metric(evaluations[at], quantity.metric),
        );
    }
    return {
      index: run.index,
      name: run.facts?.name ?? run.folder,
      value: parts.map((p) => p.text).join(' · '),
      exact: parts.map((p) => String(p.exact)).join(' · '),
    };
  });
}

/** A chart in one or two sentences, for those who cannot see it. */
export function chartSummary(quantity: Quantity, runs: readonly RunData[]): string {
  return runs
    .map((run) => {
      const name = run.facts?.name ?? run.folder;
      const values = quantity.records
        ? quantity.records(run)
        : Float64Array.from(run.evaluations, (e) => run.metric(e, quantity.metric!));
      let [low, high] = [Infinity, -Infinity];
      for (const v of values) {
        if (v < low) low = v;
        if (v > high) high = v;
      }
      if (low > high) return t('{0}: no values yet.', name);
      const last = values[values.length - 1];
      return t('{0}: last {1}, between {2} and {3}.', name, ...[last, low, high].map(quantity.format));
    })
    .join(' ');
}
