import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { LineChart, type ChartOptions, type ChartView } from '../charts/line-chart';
import { t } from '../../src/base/l10n';
import { swatch, validationSwatch } from './swatches';
import { nearest } from '../charts/curve';
import { divergedCount } from '../../src/protocol/alarms';
import type { Measured, RunData } from './run-data';
import { ownSeries, smoothedRecords, type Quantity } from './quantities';
import { isSmoothed, showsValidation, type DrawnUi } from './chart-views';

/** A value beside a chart's heading: a run's value at the cursor, or its last. */
interface Readout {
  index: number;
  /** The run's name, for those who cannot see the line before it. */
  name: string;
  /** Measured on the validation data alone. */
  validation: boolean;
  value: string;
  /** All digits. */
  exact: string;
}

/** A chart with its heading and the values at the cursor. */
@customElement('aurora-chart')
export class ChartFigure extends LitElement {
  @property({ attribute: false }) heading = '';
  /** Describes the values, if the name does not. */
  @property({ attribute: false }) definition = '';
  /** Explains its values, below the heading. */
  @property({ attribute: false }) note = '';
  @property({ attribute: false }) readouts: Readout[] = [];
  /** A new object whenever something needs to be drawn. */
  @property({ attribute: false }) view!: ChartView;
  @property({ attribute: false }) cursor: number | undefined;
  /** Set once. */
  @property({ attribute: false }) options!: ChartOptions;
  @property({ attribute: false }) summary = '';
  /** Navigable by arrow keys if set; `position` then says where it is. */
  @property({ attribute: false }) position: { now: number; max: number; text: string } | undefined;
  /** Opens the chart's menu at a point of the window, for a button. */
  @property({ attribute: false }) openMenu!: (at: { left: number; top: number }, opener: HTMLElement) => void;
  private chart: LineChart | undefined;

  protected override createRenderRoot(): this {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.chart?.destroy();
    this.chart = undefined;
  }

  protected override render(): unknown {
    const { position } = this;
    return html`<figure>
      <figcaption>
        <div class="headline">
          <h3 title=${this.definition || nothing}>${this.heading}</h3>
          <span class="readouts">
            ${this.readouts.map(
              (r) =>
                html`<span class="readout"
                  >${r.validation ? validationSwatch(r.index) : swatch(r.index)}<span class="visually-hidden"
                    >${r.name}</span
                  >
                  <span class="value" title=${r.exact}>${r.value}</span></span
                >`,
            )}
          </span>
        </div>
        <button
          class="chart-menu"
          aria-haspopup="menu"
          aria-label=${t('Menu of the chart {0}', this.heading)}
          title=${t('Save the chart…')}
          @click=${(e: MouseEvent) => {
            const button = e.currentTarget as HTMLElement;
            const { left, bottom } = button.getBoundingClientRect();
            this.openMenu({ left, top: bottom }, button);
          }}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <circle cx="3" cy="8" r="1.5" />
            <circle cx="8" cy="8" r="1.5" />
            <circle cx="13" cy="8" r="1.5" />
          </svg>
        </button>
      </figcaption>
      ${this.note === '' ? nothing : html`<p class="chart-note">${this.note}</p>`}
      ${this.options.flagWords ? html`<div class="flag-lane" role="toolbar" aria-label=${t('Events of the run')}></div>` : nothing}
      ${
        position
          ? html`<div
              class="chart-host"
              role="slider"
              tabindex="0"
              aria-label=${`${this.heading}. ${this.summary}`}
              aria-valuemin="0"
              aria-valuemax=${position.max}
              aria-valuenow=${position.now}
              aria-valuetext=${position.text}
            ></div>`
          : html`<div class="chart-host" role="img" aria-label=${`${this.heading}. ${this.summary}`}></div>`
      }
    </figure>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const host = this.querySelector<HTMLElement>('.chart-host')!;
    const lane = this.querySelector<HTMLElement>('.flag-lane') ?? undefined;
    this.chart ??= new LineChart(host, this.options, lane);
    if (changed.has('view')) this.chart.show(this.view);
    if (changed.has('cursor') || changed.has('view')) this.chart.setCursor(this.cursor);
  }
}

/** A number that a chart shows at an x. */
export interface Value {
  of: 'own' | 'smoothed' | 'validation';
  text: string;
  /** All digits. */
  exact: number;
  /** The step at which a validation metric was measured. */
  step?: number;
  /** True for a validation metric of a diverged model. */
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
