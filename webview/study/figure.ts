import { html, LitElement, nothing, svg, type TemplateResult } from 'lit';
import { property, state } from 'lit/decorators.js';
import type { Figure, Shape } from '../../src/study/figures/figure';
import { pathData } from '../../src/study/figures/svg';
import { csv } from '../ui/csv';
import { t } from '../ui/l10n';
import { dataTable } from './table';

/** The minimum width of a figure. */
const LEAST = 280;

/** A figure as wide as its container, with the same data as a table below. */
export class FigureView extends LitElement {
  /** The figure for a width; undefined if there is nothing to draw. */
  @property({ attribute: false }) draw!: (width: number) => Figure | undefined;
  @state() private width = 640;
  private readonly sizes = new ResizeObserver(([entry]) => {
    this.width = Math.max(LEAST, Math.floor(entry.contentRect.width));
  });

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.sizes.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.sizes.disconnect();
  }

  protected override render() {
    const figure = this.draw(this.width);
    if (!figure) return nothing;
    const { title, summary, shapes, table, height } = figure;
    const copy = () =>
      this.dispatchEvent(
        new CustomEvent('copy-csv', { detail: csv([table.head, ...table.rows]), bubbles: true }),
      );
    return html`<figure>
      <figcaption>${title}</figcaption>
      <svg
        width=${this.width}
        height=${height}
        viewBox="0 0 ${this.width} ${height}"
        role="img"
        aria-label=${`${title}. ${summary}`}
      >
        ${shapes.map(shape)}
      </svg>
      <details>
        <summary>${t('Values as a table')}</summary>
        ${dataTable(table, title)}
        <vscode-button appearance="secondary" @click=${copy}>${t('Copy as CSV')}</vscode-button>
      </details>
    </figure>`;
  }
}

function shape(s: Shape): TemplateResult {
  switch (s.kind) {
    case 'line':
      return svg`<line class=${s.class} x1=${s.x1} y1=${s.y1} x2=${s.x2} y2=${s.y2}></line>`;
    case 'path':
      return svg`<path class=${s.class} d=${pathData(s.points, s.closed)}></path>`;
    case 'circle':
      return svg`<circle class=${s.class} cx=${s.x} cy=${s.y} r=${s.r}></circle>`;
    case 'rect':
      return svg`<rect class=${s.class} x=${s.x} y=${s.y} width=${s.width} height=${s.height}></rect>`;
    case 'text':
      return svg`<text class=${s.class} x=${s.x} y=${s.y} text-anchor=${s.anchor}>${s.text}</text>`;
  }
}
