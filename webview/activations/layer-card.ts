import { html, LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import type { LayerCard, SigmaInfo } from '../../src/protocol/panels/activations';
import { type LayerFacts, signed } from '../../src/protocol/reports/nonlinearity-report';
import { chartColors, DASHES } from '../charts/chart-colors';
import { t } from '../../src/base/l10n';
import { r2Text } from '../../src/base/number-text';
import { shareText } from './activation-numbers';

/** One layer as a card. Its canvas is drawn only while visible. */
export class LayerCardElement extends LitElement {
  @property({ attribute: false }) layer!: LayerCard;
  @property({ attribute: false }) sigma: SigmaInfo | undefined;
  /** If it was measured. */
  @property({ attribute: false }) effect: LayerFacts | undefined;
  /** Changes with the theme, so that the card is redrawn. */
  @property({ attribute: false }) theme = 0;
  private visible = false;
  private drawn: unknown;
  private watch: IntersectionObserver | undefined;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Slightly beyond the window, so that scrolling does not reveal empty cards.
    this.watch = new IntersectionObserver(
      (entries) => {
        this.visible = entries.at(-1)!.isIntersecting;
        this.draw();
      },
      { rootMargin: '200px' },
    );
    this.watch.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.watch?.disconnect();
  }

  protected override updated(): void {
    this.draw();
  }

  protected override render() {
    const { path, shape } = this.layer;
    const dot = path.lastIndexOf('.');
    return html`
      <span class="card-path" title=${path}
        ><span class="card-parent">${path.slice(0, dot + 1)}</span><b>${path.slice(dot + 1)}</b></span
      >
      <canvas></canvas>
      ${
        shape
          ? html`<span class="card-numbers">
              <span title=${t('R² of a straight line through the curve, over the data.')}
                >${t('R² {0}', r2Text(shape.linearity))}</span
              >
              <span title=${t('Change since the first snapshot, as a share of the spread of the curve.')}
                >${t('changed {0}', shareText(shape.relativeChange))}</span
              >
              ${
                shape.outside === undefined
                  ? nothing
                  : html`<span title=${t("Share of z outside the spline's support.")}
                      >${t('outside {0}', shareText(shape.outside))}</span
                    >`
              }
              ${
                this.effect?.rise
                  ? html`<span
                      title=${t('Rise of the validation loss if σ is replaced by its linear fit in this layer alone.')}
                      >${t('loss {0}', signed(this.effect.rise.mean))}</span
                    >`
                  : nothing
              }
            </span>`
          : nothing
      }
    `;
  }

  private draw(): void {
    const key = [this.layer, this.theme, this.clientWidth];
    if (!this.visible || (this.drawn as unknown[] | undefined)?.every((v, i) => v === key[i])) return;
    const canvas = this.querySelector('canvas');
    if (!canvas || canvas.clientWidth === 0) return;
    this.drawn = key;
    drawCard(canvas, this.layer, this.sigma);
  }
}

function drawCard(canvas: HTMLCanvasElement, layer: LayerCard, sigma: SigmaInfo | undefined): void {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const g = canvas.getContext('2d')!;
  g.scale(ratio, ratio);
  const { text, series } = chartColors();
  const [lo, hi] = layer.range;
  const x = (z: number) => ((z - lo) / (hi - lo)) * width;
  drawBars(g, layer, text, width, height);
  if (sigma?.support) {
    g.setLineDash([2, 3]);
    g.strokeStyle = text;
    g.globalAlpha = 0.6;
    for (const edge of sigma.support)
      line(g, [
        [x(edge), 0],
        [x(edge), height],
      ]);
  }
  const values = layer.curves.flatMap((c) => [...c]);
  if (values.length === 0) return;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const span = Math.max(most - least, 1e-6);
  const y = (v: number) => height - 6 - ((v - least) / span) * (height - 12);
  g.globalAlpha = 1;
  g.lineWidth = 1.75;
  layer.curves.forEach((curve, i) => {
    g.strokeStyle = series[i % series.length];
    g.setLineDash([...DASHES[i % DASHES.length]]);
    line(
      g,
      Array.from(curve, (v, k) => [(k / (curve.length - 1)) * width, y(v)]),
    );
  });
}

function drawBars(
  g: CanvasRenderingContext2D,
  { counts }: LayerCard,
  color: string,
  width: number,
  height: number,
): void {
  const bins = counts.length - 2;
  const most = Math.max(1, ...counts);
  g.fillStyle = color;
  g.globalAlpha = 0.22;
  for (let b = 0; b < bins + 2; b++) {
    const h = (counts[b] / most) * height * 0.9;
    // Values outside the range are counted in its first and last bin.
    const at = Math.max(0, Math.min(bins - 1, b - 1));
    g.fillRect((at / bins) * width, height - h, width / bins, h);
  }
}

function line(g: CanvasRenderingContext2D, points: number[][]): void {
  g.beginPath();
  points.forEach(([px, py], i) => (i ? g.lineTo(px, py) : g.moveTo(px, py)));
  g.stroke();
}
