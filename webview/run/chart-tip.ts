import { durationText, epochText } from '../../src/base/number-text';
import { html, nothing, type TemplateResult } from 'lit';
import { nearest } from '../charts/curve';
import { t } from '../../src/base/l10n';
import { formatCount } from './run-numbers';
import type { RunData } from './run-data';
import { swatch } from './swatches';
import type { Quantity } from './quantities';
import { valuesAt, type Value } from './chart-readouts';
import type { DrawnUi } from './chart-views';

/** Runs that have a column of their own; more would not fit beside a chart. */
const MOST_RUNS = 5;

interface TipRow {
  label: string;
  /** By run. */
  cells: string[];
}

/** Everything that all charts show at the cursor, in one table: a row for each value, a column for each run. */
export function tip(
  quantities: readonly Quantity[],
  runs: readonly RunData[],
  ui: DrawnUi,
  cursor: number,
): TemplateResult {
  const shown = runs.filter((r) => r.records > 0).slice(0, MOST_RUNS);
  const rows = [
    ...placeRows(shown, ui, cursor),
    ...quantities.flatMap((q) => valueRows(q, shown, ui, cursor)),
  ];
  const left = runs.length - shown.length;
  return html`<table>
      ${
        runs.length > 1
          ? html`<thead>
              <tr>
                <td></td>
                ${shown.map((r) => html`<th scope="col">${swatch(r.index)} ${r.facts?.name}</th>`)}
              </tr>
            </thead>`
          : nothing
      }
      <tbody>
        ${rows.map(
          ({ label, cells }) =>
            html`<tr>
              <th scope="row">${label}</th>
              ${cells.map((cell) => html`<td class="number">${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
    ${left > 0 ? html`<p class="quiet">${t('{0} more runs are in the charts.', left)}</p>` : nothing}`;
}

function placeRows(runs: readonly RunData[], { axis }: DrawnUi, cursor: number): TipRow[] {
  const at = runs.map((run) => ({ run, i: nearest(run.x(axis), cursor) }));
  return [
    { label: t('Step'), cells: at.map(({ run, i }) => formatCount(run.column('step')[i])) },
    { label: t('Epoch'), cells: at.map(({ run, i }) => epochText(run.x('epoch')[i])) },
    { label: t('Time'), cells: at.map(({ run, i }) => durationText(run.x('time')[i])) },
  ];
}

/** None for what no run has. */
function valueRows(quantity: Quantity, runs: readonly RunData[], ui: DrawnUi, cursor: number): TipRow[] {
  const values = runs.map((run) => valuesAt(quantity, run, ui, cursor));
  const title = quantity.title();
  const labels: Record<Value['of'], string> = {
    own: title,
    smoothed: t('{0}, smoothed', title),
    validation: quantity.records ? t('Validation loss') : title,
  };
  return (['own', 'smoothed', 'validation'] as const).flatMap((of) => {
    const found = values.map((own) => own.find((v) => v.of === of));
    if (!found.some((v) => v && Number.isFinite(v.exact))) return [];
    return [{ label: labels[of], cells: found.map((v, i) => cellOf(v, runs[i], ui, cursor)) }];
  });
}

/** An evaluation elsewhere says where. */
function cellOf(value: Value | undefined, run: RunData, { axis }: DrawnUi, cursor: number): string {
  if (!value) return '–';
  const here = run.column('step')[nearest(run.x(axis), cursor)];
  return value.step === undefined || value.step === here
    ? value.text
    : t('{0} (step {1})', value.text, formatCount(value.step));
}

/** The tip in one sentence, for those who cannot see it. */
export const spokenValues = (
  quantities: readonly Quantity[],
  run: RunData,
  ui: DrawnUi,
  cursor: number,
): string =>
  quantities
    .flatMap((q) => valueRows(q, [run], ui, cursor))
    .map(({ label, cells }) => `${label} ${cells[0]}`)
    .join(' · ');

/** Beside a point of the window, in CSS pixels, and within it. */
export function placeTip(element: HTMLElement, { left, top }: { left: number; top: number }): void {
  const { width, height } = element.getBoundingClientRect();
  const beside = left + 16 + width > innerWidth ? left - 16 - width : left + 16;
  element.style.left = `${Math.max(4, beside)}px`;
  element.style.top = `${Math.max(4, Math.min(top + 16, innerHeight - height - 4))}px`;
}
