import { html, LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import { formatMetric, metricInfo, metricsIn, type MetricName } from '../../src/experiment/metrics';
import type { Curve } from '../charts/curve';
import { LineChart, type ChartView } from '../charts/line-chart';
import { formatCount } from '../run/format';
import type { RunData } from '../run/model';
import { LOSS, smoothedRecords } from '../run/quantities';
import { t } from '../ui/l10n';
import { swatch } from '../run/parts';

/** As in the Run dashboard. */
const SMOOTHING = 0.9;
const HEIGHT = 220;

/** A chart of one quantity of the checked runs, by step. */
export class OverlayChart extends LitElement {
  @property({ attribute: false }) runs: readonly RunData[] = [];
  /** Undefined for the training loss. */
  @property({ attribute: false }) metric: MetricName | undefined;
  /** Changes with the data. */
  @property({ attribute: false }) version = 0;
  private chart: LineChart | undefined;

  protected override createRenderRoot(): this {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.chart?.destroy();
    this.chart = undefined;
  }

  private get heading(): string {
    return this.metric
      ? t('Validation {0}', t(metricInfo(this.metric).longLabel))
      : t('Training loss (smoothed)');
  }

  protected override render() {
    const drawn = this.runs.filter((run) => this.curveOf(run).x.length > 0);
    const names = drawn.map((run) => run.facts?.name ?? '').join(', ');
    const summary = drawn.length === 0 ? t('No values yet.') : t('Curves of {0}.', names);
    return html`<figure>
      <figcaption>${this.heading}</figcaption>
      <div
        class="chart-host"
        role="img"
        aria-label=${`${this.heading}. ${summary}`}
        data-curves=${drawn.length}
      ></div>
    </figure>`;
  }

  protected override updated(): void {
    this.chart ??= new LineChart(this.querySelector<HTMLElement>('.chart-host')!, {
      height: HEIGHT,
      formatX: formatCount,
      formatY: (value) => formatMetric(this.metric ?? 'loss', value),
    });
    this.chart.show(this.view());
  }

  private curveOf(run: RunData): Curve {
    const style = { color: run.index, dash: run.index, width: 2 };
    const { metric } = this;
    if (!metric) return { ...style, x: run.x('step'), y: smoothedRecords(LOSS, run, SMOOTHING) };
    const evaluations = run.evaluations.filter((e) => e.metrics[metric] !== undefined);
    return {
      ...style,
      x: Float64Array.from(evaluations, (e) => e.step),
      y: Float64Array.from(evaluations, (e) => run.metric(e, metric)),
      points: true,
    };
  }

  private view(): ChartView {
    const curves = this.runs.map((run) => this.curveOf(run));
    const ends = curves.flatMap(({ x }) => (x.length > 0 ? [x[0], x[x.length - 1]] : []));
    const [min, max] = ends.length > 0 ? [Math.min(...ends), Math.max(...ends)] : [0, 1];
    return {
      curves,
      min: min === max ? min - 0.5 : min,
      max: min === max ? max + 0.5 : max,
      within: this.metric && metricInfo(this.metric).range,
      xLabel: t('Step'),
    };
  }
}

/** The curves of the checked runs, with the names of their colors. */
export function curvesView(
  runs: readonly RunData[],
  chosen: MetricName | undefined,
  version: number,
  actions: { choose(metric: MetricName): void; hide(folder: string): void },
  tooMany: number,
) {
  const metrics = metricsIn(...runs.flatMap((run) => run.evaluations.map((e) => e.metrics)));
  const own = runs.flatMap((run) => run.facts?.spec?.training?.metric ?? [])[0];
  const metric =
    chosen && metrics.includes(chosen) ? chosen : own && metrics.includes(own) ? own : metrics[0];
  return html`<section class="curves" aria-label=${t('Curves')}>
    <ul class="legend">
      ${runs.map(
        (run) =>
          html`<li>
            ${swatch(run.index)}
            <span class="legend-name">${run.facts?.name ?? '…'}</span>
            <button
              class="link"
              aria-label=${t('Hide the curves of {0}', run.facts?.name ?? '')}
              @click=${() => actions.hide(run.folder)}
            >
              ✕
            </button>
          </li>`,
      )}
    </ul>
    ${tooMany > 0 ? html`<p class="note" role="status">${t('Curves of the first {0} checked runs are shown.', runs.length)}</p>` : nothing}
    <aurora-overlay-chart .runs=${runs} .version=${version}></aurora-overlay-chart>
    ${
      metric
        ? html`<label class="choice"
              >${t('Metric')}
              <select
                data-field="metric"
                @change=${(e: Event) => actions.choose((e.target as HTMLSelectElement).value as MetricName)}
              >
                ${metrics.map((m) => html`<option value=${m} ?selected=${m === metric}>${t(metricInfo(m).label)}</option>`)}
              </select></label
            >
            <aurora-overlay-chart .runs=${runs} .metric=${metric} .version=${version}></aurora-overlay-chart>`
        : nothing
    }
  </section>`;
}
