import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property, state } from 'lit/decorators.js';
import { metricInfo, type MetricName } from '../../src/experiment/metrics';
import { shownMetrics } from '../../src/experiment/shown-metrics';
import type { ChartFormat, SaveChart } from '../../src/protocol/panels/save-chart';
import { readouts } from '../run/chart-readouts';
import { ChartParts } from '../run/chart-parts';
import { chartFile } from '../run/save-chart';
import type { RunData } from '../run/run-data';
import { swatch } from '../run/swatches';
import { pointMenu, type OpenMenu } from '../run/point-menu';
import { hasValues, LOSS, validation, type Quantity } from '../run/quantities';
import { DEFAULT_UI, drawnUi, fullRange, zoomOn, type DrawnUi } from '../run/chart-views';
import { t } from '../../src/base/l10n';
import { runName } from './grid-cells';

const HEIGHT = 220;
/** Values of more runs do not fit beside a heading. */
const MOST_READOUTS = 6;

interface CurvesActions {
  choose(metric: MetricName): void;
  hide(folder: string): void;
  save(chart: SaveChart): void;
}

/** The curves of the checked runs, in the charts of the Run dashboard, with the names of their colors. */
export class RunCurves extends LitElement {
  @property({ attribute: false }) runs: readonly RunData[] = [];
  /** The metric that the user has chosen. */
  @property({ attribute: false }) metric: MetricName | undefined;
  /** Changes with the data. */
  @property({ attribute: false }) version = 0;
  /** Checked runs whose curves are not drawn. */
  @property({ attribute: false }) tooMany = 0;
  @property({ attribute: false }) actions!: CurvesActions;
  @state() private cursor: number | undefined;
  @state() private zoom: [number, number] | undefined;
  @state() private menu: OpenMenu | undefined;
  /** Changes with the drawn data and their settings. */
  private drawn = 0;
  private readonly parts = new ChartParts(
    () => 'step',
    {
      onCursor: (x) => (this.cursor = x),
      onZoom: (range) => this.zoomTo(range && zoomOn('step', range, fullRange(this.runs, 'step'))),
      onFlag: () => {},
      onPick: (quantity, _x, _y, menu) => menu && this.open(quantity, menu),
    },
    false,
  );

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('mousedown', this.outside);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('mousedown', this.outside);
  }

  private readonly outside = (e: MouseEvent): void => {
    if (this.menu && !(e.target as Element).closest?.('.point-menu')) this.close();
  };

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('version')) this.drawn++;
  }

  private zoomTo(range: [number, number] | undefined): void {
    this.zoom = range;
    this.drawn++;
  }

  /** Only the smoothed training loss: the noise of many runs would hide all of them. */
  private get ui(): DrawnUi {
    return drawnUi({ ...DEFAULT_UI, raw: false, validation: false }, this.runs);
  }

  private get metrics(): MetricName[] {
    const [own] = this.runs.flatMap((run) => run.facts?.spec?.training?.metric ?? []);
    return shownMetrics(own, ...this.runs.flatMap((run) => run.evaluations.map((e) => e.metrics)));
  }

  /** The chosen one, if a run has it; otherwise what the first was trained for. */
  private get shownMetric(): MetricName | undefined {
    const { metric, metrics } = this;
    const own = this.runs.flatMap((run) => run.facts?.spec?.training?.metric ?? [])[0];
    return [metric, own].find((m) => m !== undefined && metrics.includes(m)) ?? metrics[0];
  }

  private get quantities(): Quantity[] {
    const metric = this.shownMetric;
    return [
      LOSS,
      ...(metric ? [{ ...validation(metric), key: metric === 'loss' ? 'validation-loss' : metric }] : []),
    ];
  }

  private open({ key }: Quantity, { left, top }: { left: number; top: number }, opener?: HTMLElement): void {
    this.menu = { chart: key, point: undefined, left, top, opener };
  }

  private readonly close = (): void => {
    const opener = this.menu?.opener;
    this.menu = undefined;
    opener?.focus({ preventScroll: true });
  };

  private view(quantity: Quantity) {
    // Other runs may end before the part that was zoomed in on.
    const full = fullRange(this.runs, 'step');
    const range = (this.zoom && zoomOn('step', this.zoom, full)) || full;
    return this.parts.view(quantity, this.drawn, this.runs, this.ui, range);
  }

  private readonly save = (chart: string, format: ChartFormat): void => {
    const quantity = this.quantities.find(({ key }) => key === chart);
    if (!quantity) return;
    const options = this.parts.options(quantity, HEIGHT);
    void chartFile(format, quantity, this.runs, this.ui, this.view(quantity), options).then((data) =>
      this.actions.save({ type: 'saveChart', chart, format, data }),
    );
  };

  protected override render(): TemplateResult {
    const { runs, tooMany, metrics } = this;
    const [loss, ofMetric] = this.quantities;
    const title = this.ui.weight > 0 ? t('Training loss (smoothed)') : t('Training loss');
    return html`<section class="curves" aria-label=${t('Curves')}>
      ${this.legend()}
      ${tooMany > 0 ? html`<p class="note" role="status">${t('Curves of the first {0} checked runs are shown.', runs.length)}</p>` : nothing}
      ${this.chart(loss, title)}
      ${
        ofMetric
          ? html`<label class="choice"
                >${t('Metric')}
                <select
                  data-field="metric"
                  @change=${(e: Event) => this.actions.choose((e.target as HTMLSelectElement).value as MetricName)}
                >
                  ${metrics.map(
                    (m) =>
                      html`<option value=${m} ?selected=${m === ofMetric.metric}>
                        ${t(metricInfo(m).label)}
                      </option>`,
                  )}
                </select></label
              >
              ${this.chart(ofMetric, ofMetric.title())}`
          : nothing
      }
      ${pointMenu(this.menu, {
        fork: () => {},
        save: this.save,
        resetZoom: () => this.zoomTo(undefined),
        close: this.close,
      })}
    </section>`;
  }

  private legend(): TemplateResult {
    return html`<ul class="legend">
      ${this.runs.map(
        (run) =>
          html`<li>
            ${swatch(run.index)}
            <span class="legend-name" title=${run.facts?.name ?? ''}>${runName(run.facts?.name ?? '…')}</span>
            <button
              class="link"
              aria-label=${t('Hide the curves of {0}', run.facts?.name ?? '')}
              @click=${() => this.actions.hide(run.folder)}
            >
              ✕
            </button>
          </li>`,
      )}
    </ul>`;
  }

  private chart(quantity: Quantity, heading: string): TemplateResult {
    const { runs, cursor, ui } = this;
    return html`<aurora-chart
      data-chart=${quantity.key}
      data-curves=${runs.filter((run) => hasValues(quantity, run)).length}
      .heading=${heading}
      .view=${this.view(quantity)}
      .cursor=${cursor}
      .options=${this.parts.options(quantity, HEIGHT)}
      .readouts=${runs.length > MOST_READOUTS ? [] : readouts(quantity, runs, ui, cursor)}
      .summary=${this.parts.summary(quantity, this.version, runs)}
      .openMenu=${(at: { left: number; top: number }, opener: HTMLElement) => this.open(quantity, at, opener)}
    ></aurora-chart>`;
  }
}
