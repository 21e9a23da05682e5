import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { LineChart, type ChartOptions, type ChartView } from '../charts/line-chart';
import { t } from '../../src/base/l10n';
import { swatch, validationSwatch } from './parts';

/** A value beside a chart's heading: a run's value at the cursor, or its last. */
export interface Readout {
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
  /** What is drawn, if the name does not say it. */
  @property({ attribute: false }) definition = '';
  /** What explains its values, below the heading. */
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
          title=${t('Save the chart …')}
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
