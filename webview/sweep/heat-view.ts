import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { property, state } from 'lit/decorators.js';
import { metricInfo } from '../../src/experiment/metrics';
import { heatFigure } from '../../src/study/sweep/sweep-figures';
import { heatMap, type CellValue, type HeatCell, type HeatMap } from '../../src/study/sweep/heat-map';
import { isTraining } from '../../src/study/sweep/trials';
import type { Axis } from '../../src/study/sweep/axis';
import { csv } from '../../src/base/csv';
import { t } from '../../src/base/l10n';
import { type Shown, metricText } from './sweep-model';
import { PICKED } from './parallel-view';
import { saveButtons } from './save-figures';

export interface HeatUi {
  x?: string;
  y?: string;
  show?: CellValue;
}

/** Fired with the new choices. */
export const HEAT_CHOSEN = 'heat-chosen';

/** Two settings against each other: a table of cells to walk through with the arrow keys, and one cell in words. */
export class HeatView extends LitElement {
  @property({ attribute: false }) shown!: Shown;
  @property({ attribute: false }) ui: HeatUi = {};
  @state() private at: [row: number, column: number] = [0, 0];
  @state() private read = false;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    const { axes } = this.shown;
    if (axes.length < 2)
      return html`<h2>${t('Heat map')}</h2>
        <p class="note">
          ${t('A heat map needs two settings that vary; this sweep has {0}.', axes.length)}
        </p>`;
    const x = axes.find((a) => a.key === this.ui.x) ?? axes[0];
    const y = axes.find((a) => a.key === this.ui.y && a !== x) ?? axes.find((a) => a !== x)!;
    const show = this.ui.show ?? 'best';
    const map = heatMap(this.shown.trials, x, y, { metric: this.shown.facts.metric, show });
    return html`<div class="heading">
        <h2>${t('Heat map')}</h2>
        ${this.choices(x, y, show)}
        ${saveButtons({
          chart: 'heat-map',
          heading: t('Heat map'),
          figure: () => this.figure(map, x, y, show),
          csv: () => this.csv(map, x, y),
        })}
      </div>
      ${this.grid(map, x, y, show)}
      <p class="readout" role="status">
        ${this.read ? this.words(map, x, y, show) : t('Select a cell to see its trials.')}
      </p>`;
  }

  private choices(x: Axis, y: Axis, show: CellValue) {
    const { axes } = this.shown;
    const { label } = metricInfo(this.shown.facts.metric);
    const choose = (change: HeatUi) =>
      this.dispatchEvent(
        new CustomEvent(HEAT_CHOSEN, { detail: { x: x.key, y: y.key, show, ...change }, bubbles: true }),
      );
    const value = (e: Event) => (e.currentTarget as HTMLSelectElement).value;
    const settings = (name: 'x' | 'y', chosen: Axis, other: Axis) =>
      html`<select
        data-field="heat-${name}"
        @change=${(e: Event) =>
          choose(value(e) === other.key ? { x: y.key, y: x.key } : { [name]: value(e) })}
      >
        ${axes.map((a) => html`<option value=${a.key} ?selected=${a === chosen}>${a.label}</option>`)}
      </select>`;
    return html`<label>${t('Columns')} ${settings('x', x, y)}</label>
      <label>${t('Rows')} ${settings('y', y, x)}</label>
      <label
        >${t('Cells')}
        <select data-field="heat-show" @change=${(e: Event) => choose({ show: value(e) as CellValue })}>
          <option value="best" ?selected=${show === 'best'}>${t('best {0}', label)}</option>
          <option value="mean" ?selected=${show === 'mean'}>${t('mean {0}', label)}</option>
        </select></label
      >`;
  }

  private grid(map: HeatMap, x: Axis, y: Axis, show: CellValue) {
    const [row, column] = this.inside(map);
    return html`<div class="scroll">
      <table
        class="heat"
        role="grid"
        aria-label=${t('{0} by {1}', y.label, x.label)}
        @keydown=${(e: KeyboardEvent) => this.onKey(e, map)}
      >
        <thead>
          <tr>
            <th scope="col">${y.label} \\ ${x.label}</th>
            ${map.columns.map((c) => html`<th scope="col">${c}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${map.rows.map(
            (label, j) =>
              html`<tr>
                <th scope="row">${label}</th>
                ${map.cells[j].map(
                  (cell, i) =>
                    html`<td
                      class=${this.classOf(cell)}
                      tabindex=${j === row && i === column ? '0' : '-1'}
                      data-cell="${j}-${i}"
                      title=${this.cellWords(cell, show)}
                      @focus=${() => this.go(j, i)}
                      @click=${() => this.go(j, i)}
                      @dblclick=${() => this.open(cell)}
                    >
                      ${
                        cell.value === undefined
                          ? cell.trials.length > 0
                            ? '…'
                            : html`<span class="visually-hidden">${t('not tried')}</span>`
                          : metricText(this.shown.facts, cell.value)
                      }${cell.trials.length > 1 ? html` <small>×${cell.trials.length}</small>` : nothing}
                    </td>`,
                )}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  private classOf({ value, trials }: HeatCell): string {
    if (value !== undefined) return `cell shade-${this.shown.shade(value)}`;
    return trials.length > 0 ? 'cell pending' : 'cell untried';
  }

  private inside({ rows, columns }: HeatMap): [row: number, column: number] {
    return [Math.min(this.at[0], rows.length - 1), Math.min(this.at[1], columns.length - 1)];
  }

  private go(row: number, column: number): void {
    this.at = [row, column];
    this.read = true;
  }

  private onKey(e: KeyboardEvent, map: HeatMap): void {
    const [row, column] = this.inside(map);
    const moves: Record<string, [number, number]> = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [row, 0],
      End: [row, map.columns.length - 1],
      PageUp: [0, column],
      PageDown: [map.rows.length - 1, column],
    };
    if (e.key === 'Enter') return this.open(map.cells[row][column]);
    if (!Object.hasOwn(moves, e.key) || e.ctrlKey || e.altKey || e.metaKey) return;
    e.preventDefault();
    const [j, i] = moves[e.key];
    this.querySelector<HTMLElement>(`[data-cell="${j}-${i}"]`)?.focus();
  }

  /** The dashboard of its best trial. */
  private open({ trials }: HeatCell): void {
    const { shade } = this.shown;
    const known = trials.filter((trial) => trial.run !== undefined);
    const rank = (trial: (typeof trials)[number]) => (trial.metric === undefined ? -1 : shade(trial.metric));
    const [best] = [...known].sort((a, b) => rank(b) - rank(a));
    if (best)
      this.dispatchEvent(new CustomEvent(PICKED, { detail: { id: best.id, open: true }, bubbles: true }));
  }

  private words(map: HeatMap, x: Axis, y: Axis, show: CellValue): string {
    const [row, column] = this.inside(map);
    return [
      `${y.label} ${map.rows[row]}`,
      `${x.label} ${map.columns[column]}`,
      this.cellWords(map.cells[row][column], show),
    ].join(' · ');
  }

  private cellWords({ value, measured, trials }: HeatCell, show: CellValue): string {
    if (trials.length === 0) return t('not tried');
    const training = trials.filter(isTraining).length;
    const count = trials.length === 1 ? t('1 trial') : t('{0} trials', trials.length);
    if (value === undefined)
      return training > 0
        ? t('no result of {0} yet, {1} training', count, training)
        : t('no result of {0}', count);
    const text = metricText(this.shown.facts, value);
    const of = measured === trials.length ? count : t('{0} of {1} with a result', measured, count);
    return show === 'best' ? t('best {0} · {1}', text, of) : t('mean {0} · {1}', text, of);
  }

  private figure(map: HeatMap, x: Axis, y: Axis, show: CellValue) {
    const { facts, shade } = this.shown;
    const { label } = metricInfo(facts.metric);
    const what = show === 'best' ? t('best {0}', label) : t('mean {0}', label);
    return heatFigure(map, {
      title: t('Sweep of {0}: {1}', facts.experiment, what),
      x: x.label,
      y: y.label,
      shade,
      cell: (value) => metricText(facts, value),
    });
  }

  private csv({ rows, columns, cells }: HeatMap, x: Axis, y: Axis): string {
    return csv([
      [`${y.label} \\ ${x.label}`, ...columns],
      ...cells.map((row, j) => [rows[j], ...row.map((c) => c.value ?? '')]),
    ]);
  }
}
