import { html, LitElement, nothing } from 'lit';
import type { Table, Figure } from '../../src/study/figures/figure';
import { property, state } from 'lit/decorators.js';
import { csv } from '../../src/base/csv';
import { t } from '../../src/base/l10n';
import { shape } from '../ui/figure-shape';

/** Names left-aligned, numbers right-aligned; scrolls if it does not fit. */
export const dataTable = ({ head, rows }: Table, name: string) =>
  html`<div class="scroll" tabindex="0" role="region" aria-label=${name}>
    <table>
      <thead>
        <tr>
          ${head.map((cell) => html`<th scope="col">${cell}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([first, ...rest]) =>
            html`<tr>
              <th scope="row">${first}</th>
              ${rest.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;

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
