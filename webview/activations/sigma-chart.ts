import { html, LitElement, nothing, svg, type SVGTemplateResult } from 'lit';
import { property, state } from 'lit/decorators.js';
import type { LayerMessage, SigmaInfo } from '../../src/protocol/panels/activations';
import { t } from '../../src/base/l10n';
import { number, shareText, ticks } from './activation-numbers';

const HEIGHT = 340;
const MARGIN = { left: 56, right: 56, top: 26, bottom: 44 };
/** The two open bins are this many bins away from the others. */
const APART = 1.5;

/** σ's parts over the histogram of z, as wide as the window. Fires `bin` when a bin is chosen. */
export class SigmaChart extends LitElement {
  @property({ attribute: false }) layer!: LayerMessage;
  @property({ attribute: false }) sigma: SigmaInfo | undefined;
  @property({ attribute: false }) bin: number | undefined;
  /** The bin under the pointer or selected by the arrow keys. */
  @state() private cursor: number | undefined;
  @state() private width = 0;
  private readonly size = new ResizeObserver(([entry]) => (this.width = Math.floor(entry.contentRect.width)));

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.size.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.size.disconnect();
  }

  private get bins(): number {
    return this.layer.counts.length - 2;
  }

  private get binWidth(): number {
    return (this.layer.range[1] - this.layer.range[0]) / this.bins;
  }

  private x(z: number): number {
    const [lo, hi] = this.layer.range;
    const extra = this.binWidth * (1 + APART);
    const share = (z - lo + extra) / (hi - lo + 2 * extra);
    return MARGIN.left + share * (this.width - MARGIN.left - MARGIN.right);
  }

  /** Left edge of a bin's bar as a value of z; open bins are drawn as wide as the others. */
  private leftOf(bin: number): number {
    const [lo, hi] = this.layer.range;
    if (bin === 0) return lo - this.binWidth * (1 + APART);
    return bin === this.bins + 1 ? hi + this.binWidth * APART : lo + (bin - 1) * this.binWidth;
  }

  protected override render() {
    if (this.width < 120) return nothing;
    return html`<div
        class="chart-box"
        role="slider"
        tabindex="0"
        aria-label=${t('Bins of z. Use the arrow keys to move, and Enter to show what is in a bin.')}
        aria-valuemin="0"
        aria-valuemax=${this.bins + 1}
        aria-valuenow=${this.cursor ?? this.bin ?? Math.floor(this.bins / 2) + 1}
        aria-valuetext=${this.readout(this.cursor ?? this.bin ?? Math.floor(this.bins / 2) + 1)}
        @keydown=${this.key}
        @pointermove=${(e: PointerEvent) => (this.cursor = this.binAt(e))}
        @pointerleave=${() => (this.cursor = this.bin)}
        @click=${(e: MouseEvent) => this.choose(this.binAt(e))}
      >
        ${this.picture()}
      </div>
      <p class="readout">
        ${
          this.cursor === undefined
            ? t('Point at the chart, or focus it and use the arrow keys, to see its values.')
            : this.readout(this.cursor)
        }
      </p>`;
  }

  private picture() {
    const { layer, width } = this;
    const [left, right, bottom] = [MARGIN.left, width - MARGIN.right, HEIGHT - MARGIN.bottom];
    const most = Math.max(1, ...layer.counts);
    const barTop = (n: number) => bottom - (n / most) * (bottom - MARGIN.top);
    const barWidth = this.x(this.leftOf(2)) - this.x(this.leftOf(1));
    return html`<svg width=${width} height=${HEIGHT} aria-hidden="true">
      ${this.outside()}
      ${Array.from(
        layer.counts,
        (n, b) =>
          svg`<rect class=${b === this.bin ? 'bar chosen' : b === this.cursor ? 'bar pointed' : 'bar'} x=${this.x(this.leftOf(b))} y=${barTop(n)} width=${Math.max(1, barWidth - 0.5)} height=${bottom - barTop(n)} />`,
      )}
      ${this.chosenMark(barWidth, bottom)}
      <line class="axis" x1=${left} x2=${right} y1=${bottom} y2=${bottom} />
      ${ticks(layer.range, Math.max(3, Math.round(width / 110))).map(
        (z) =>
          svg`<line class="axis" x1=${this.x(z)} x2=${this.x(z)} y1=${bottom} y2=${bottom + 4} /><text x=${this.x(z)} y=${bottom + 17} text-anchor="middle">${number(z)}</text>`,
      )}
      <text x=${(left + right) / 2} y=${HEIGHT - 8} text-anchor="middle">z[${layer.input}]</text>
      ${[0, 0.5, 1].map(
        (share) =>
          svg`<text class="faint" x=${right + 6} y=${barTop(share * most) + 4}>${shareText((share * most) / Math.max(1, layer.tokens))}</text>`,
      )}
      ${this.curves(left, right, bottom)}
    </svg>`;
  }

  private chosenMark(barWidth: number, bottom: number): SVGTemplateResult | typeof nothing {
    if (this.bin === undefined) return nothing;
    const at = this.x(this.leftOf(this.bin)) + barWidth / 2;
    return svg`<line class="chosen-line" x1=${at} x2=${at} y1=${MARGIN.top} y2=${bottom} /><path class="chosen-mark" d="M${at - 5} ${bottom + 9} h10 l-5 -8 z" />`;
  }

  /** Shades where the spline is zero, and labels its support. */
  private outside(): SVGTemplateResult | typeof nothing {
    const support = this.sigma?.support;
    if (!support) return nothing;
    const [a, b] = [this.x(support[0]), this.x(support[1])];
    const bottom = HEIGHT - MARGIN.bottom;
    const shade = (from: number, to: number) =>
      svg`<rect class="beyond" x=${from} y=${MARGIN.top} width=${Math.max(0, to - from)} height=${bottom - MARGIN.top} />`;
    const label =
      this.width < 460
        ? t('support {0} to {1}', number(support[0]), number(support[1]))
        : t("the spline's support, {0} to {1}", number(support[0]), number(support[1]));
    return svg`${shade(MARGIN.left, a)}${shade(b, this.width - MARGIN.right)}
      ${[a, b].map((at) => svg`<line class="edge" x1=${at} x2=${at} y1=${MARGIN.top - 10} y2=${bottom} />`)}
      <line class="edge" x1=${a} x2=${b} y1=${MARGIN.top - 6} y2=${MARGIN.top - 6} />
      <text class="halo" x=${(a + b) / 2} y=${MARGIN.top - 11} text-anchor="middle">${label}</text>`;
  }

  private curves(left: number, right: number, bottom: number): SVGTemplateResult | typeof nothing {
    const { curves, output, input } = this.layer;
    if (!curves) return nothing;
    const fitted = this.fittedPoints();
    const all = [
      curves.sum,
      curves.first,
      fitted.map(([, v]) => v),
      ...this.parts().map(([, values]) => values),
    ].flatMap((c) => [...c]);
    const [least, most] = [Math.min(...all), Math.max(...all)];
    const pad = Math.max((most - least) * 0.06, 1e-3);
    const range: [number, number] = [least - pad, most + pad];
    const y = (v: number) => bottom - ((v - range[0]) / (range[1] - range[0])) * (bottom - MARGIN.top);
    const through = (points: readonly (readonly [number, number])[]) =>
      points.map(([z, v], i) => `${i ? 'L' : 'M'}${this.x(z).toFixed(1)} ${y(v).toFixed(1)}`).join('');
    const path = (values: Float32Array) => through(Array.from(values, (v, i) => [curves.z[i], v] as const));
    const at = this.cursor === undefined ? undefined : this.pointOf(this.cursor);
    return svg`${ticks(range, 5).map(
      (v) =>
        svg`<line class=${Math.abs(v) < 1e-9 ? 'grid zero' : 'grid'} x1=${left} x2=${right} y1=${y(v)} y2=${y(v)} /><text x=${left - 6} y=${y(v) + 4} text-anchor="end">${number(v)}</text>`,
    )}
      <text class="axis-name" transform="translate(14 ${(MARGIN.top + bottom) / 2}) rotate(-90)" text-anchor="middle">σ(z)[${output}]</text>
      <path class="curve first" d=${path(curves.first)} />
      ${this.parts().map(([name, values]) => svg`<path class="curve ${name}" d=${path(values)} />`)}
      ${fitted.length > 0 ? svg`<path class="curve fitted" d=${through(fitted)} />` : nothing}
      <path class="curve sum" d=${path(curves.sum)} />
      ${at === undefined ? nothing : svg`<circle class="dot" cx=${this.x(curves.z[at])} cy=${y(curves.sum[at])} r="4" />`}
      <title>${t('σ(z)[{0}] over z[{1}]', output, input)}</title>`;
  }

  /** Points of the fitted line where there are data; elsewhere it means nothing, and would shrink the curves. */
  private fittedPoints(): (readonly [z: number, value: number])[] {
    const { curves, extremes: [low, high] = [-Infinity, Infinity] } = this.layer;
    return Array.from(curves?.fitted ?? [], (v, i) => [curves!.z[i], v] as const).filter(
      ([z]) => z >= low && z <= high,
    );
  }

  /** Only the parts that the adapter has; a single part is the sum. */
  private parts(): ['fixed' | 'spline', Float32Array][] {
    const { curves } = this.layer;
    if (!curves || !this.sigma?.fixed || !this.sigma.learnable) return [];
    return [
      ['fixed', curves.fixed],
      ['spline', curves.spline],
    ];
  }

  /** The curve point nearest to a bin's middle; undefined for the open bins. */
  private pointOf(bin: number): number | undefined {
    const { curves, range } = this.layer;
    if (!curves || bin < 1 || bin > this.bins) return undefined;
    const share = (this.leftOf(bin) + this.binWidth / 2 - range[0]) / (range[1] - range[0]);
    return Math.round(share * (curves.z.length - 1));
  }

  private readout(bin: number): string {
    const { layer } = this;
    const n = layer.counts[bin];
    const [from, to] = [number(this.leftOf(bin)), number(this.leftOf(bin) + this.binWidth)];
    const where =
      bin === 0
        ? t('z below {0}', number(layer.range[0]))
        : bin === this.bins + 1
          ? t('z above {0}', number(layer.range[1]))
          : t('z from {0} to {1}', from, to);
    const held = t(
      '{0}: {1} of {2} tokens ({3}).',
      where,
      n,
      layer.tokens,
      shareText(n / Math.max(1, layer.tokens)),
    );
    const at = this.pointOf(bin);
    if (at === undefined) return held;
    const { curves } = layer;
    const parts = this.parts().length
      ? t(
          'fixed {0}, spline {1}, sum {2}; at step {3} the sum was {4}.',
          number(curves!.fixed[at]),
          number(curves!.spline[at]),
          number(curves!.sum[at]),
          layer.firstStep,
          number(curves!.first[at]),
        )
      : t(
          'σ {0}; at step {1} it was {2}.',
          number(curves!.sum[at]),
          layer.firstStep,
          number(curves!.first[at]),
        );
    const line = curves!.fitted ? ` ${t('The linear fit is {0}.', number(curves!.fitted[at]))}` : '';
    return `${held} ${t('At its center:')} ${parts}${line}`;
  }

  private binAt(e: MouseEvent): number {
    const box = this.querySelector('svg')!.getBoundingClientRect();
    const px = e.clientX - box.left;
    const perBin = this.x(this.leftOf(2)) - this.x(this.leftOf(1));
    const inside = Math.floor((px - this.x(this.layer.range[0])) / perBin) + 1;
    return Math.max(0, Math.min(this.bins + 1, inside));
  }

  private key(e: KeyboardEvent): void {
    const at = this.cursor ?? this.bin ?? Math.floor(this.bins / 2) + 1;
    const to: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowDown: at - 1,
      ArrowUp: at + 1,
      PageUp: at + 8,
      PageDown: at - 8,
      Home: 0,
      End: this.bins + 1,
    };
    if (e.key === 'Enter' || e.key === ' ') this.choose(at);
    else if (Object.hasOwn(to, e.key)) this.cursor = Math.max(0, Math.min(this.bins + 1, to[e.key]));
    else return;
    e.preventDefault();
    e.stopPropagation();
  }

  private choose(bin: number): void {
    this.cursor = bin;
    this.dispatchEvent(new CustomEvent<number>('bin', { detail: bin }));
  }
}
