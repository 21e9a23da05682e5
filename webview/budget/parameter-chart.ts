import { html, LitElement, svg, type TemplateResult } from 'lit';
import { property, state } from 'lit/decorators.js';
import type { Budget, Curve } from '../../src/protocol/budget';
import { csv } from '../../src/base/csv';
import { t } from '../../src/base/l10n';
import { axisMark, linearMarks, logMarks, rankMarks } from './budget-numbers';
import { count, shortNumber } from '../../src/base/number-text';
import { isReference } from '../../src/experiment/methods';

const HEIGHT = 280;
const EDGE = { left: 56, right: 16, top: 28, bottom: 40 };

/** Parameters by rank for all methods: hover or use the arrow keys to read the values at a rank. */
export class BudgetChart extends LitElement {
  @property({ attribute: false }) budget!: Budget;
  @property({ attribute: false }) logScale = false;
  @state() private width = 640;
  /** Index of the rank being read; by default the adapter's own. */
  @state() private pointed: number | undefined;
  private readonly sizes = new ResizeObserver(([entry]) => {
    this.width = Math.max(240, Math.floor(entry.contentRect.width));
  });

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override firstUpdated(): void {
    this.sizes.observe(this.querySelector('.plot')!);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.sizes.disconnect();
  }

  private get ranks(): number[] {
    return this.budget.curves[0].points.map((p) => p.rank);
  }

  private get index(): number {
    const { ranks } = this;
    if (this.pointed !== undefined) return Math.min(this.pointed, ranks.length - 1);
    const own = this.budget.modules[0].rank;
    return own === undefined ? 0 : nearestIndex(ranks, own);
  }

  private get scale(): (v: number) => number {
    return this.logScale ? Math.log : (v) => v;
  }

  private x = (rank: number): number => {
    const { ranks, scale } = this;
    const [first, last] = [scale(ranks[0]), scale(ranks.at(-1)!)];
    const share = last > first ? (scale(rank) - first) / (last - first) : 0.5;
    return EDGE.left + share * (this.width - EDGE.left - EDGE.right);
  };

  private get range(): [number, number] {
    const values = this.budget.curves.flatMap((c) => c.points.map((p) => p.parameters));
    const top = Math.max(...values, this.budget.adapter.parameters);
    const low = Math.min(...values, this.budget.adapter.parameters);
    return this.logScale ? [low / 1.5, top * 1.5] : [0, top * 1.05];
  }

  private y = (parameters: number): number => {
    const { scale } = this;
    const [low, top] = this.range;
    const share = (scale(parameters) - scale(low)) / (scale(top) - scale(low));
    return HEIGHT - EDGE.bottom - share * (HEIGHT - EDGE.top - EDGE.bottom);
  };

  protected override render(): TemplateResult {
    const { budget } = this;
    const rank = this.ranks[this.index];
    return html`<section aria-labelledby="chart-title">
      <div class="title-row">
        <h2 id="chart-title">${t('Parameters by rank')}</h2>
        <vscode-checkbox
          .checked=${this.logScale}
          @change=${(e: Event) =>
            this.dispatchEvent(
              new CustomEvent('scale', { detail: (e.currentTarget as HTMLInputElement).checked }),
            )}
          >${t('Logarithmic axes')}</vscode-checkbox
        >
      </div>
      <p class="hint">${this.summary()}</p>
      <div
        class="plot"
        tabindex="0"
        role="slider"
        aria-orientation="horizontal"
        aria-label=${t('Rank to show values for')}
        aria-valuemin=${this.ranks[0]}
        aria-valuemax=${this.ranks.at(-1)!}
        aria-valuenow=${rank}
        aria-valuetext=${this.reading(rank)}
        @keydown=${this.key}
        @pointermove=${this.point}
        @pointerleave=${() => (this.pointed = undefined)}
      >
        ${this.drawing(rank)}
      </div>
      <div class="scroll" tabindex="0" role="region" aria-label=${t('Values at one rank')}>
        <table class="legend">
          <thead>
            <tr>
              <th scope="col">${t('Method')}</th>
              <th scope="col">${t('At rank {0}', rank)}</th>
              <th scope="col">${t('Per module')}</th>
            </tr>
          </thead>
          <tbody>
            ${budget.curves.map((c) => this.legendRow(c))}
          </tbody>
        </table>
      </div>
      ${this.data()}
    </section>`;
  }

  private legendRow(curve: Curve): TemplateResult {
    return html`<tr>
      <th scope="row">
        <svg class="sample" width="36" height="10" aria-hidden="true">
          <line class="curve ${curve.id}" x1="1" y1="5" x2="35" y2="5"></line>
        </svg>
        ${curve.name}
      </th>
      <td>${count(curve.points[this.index].parameters)}</td>
      <td><code>${curve.formula}</code></td>
    </tr>`;
  }

  private drawing(rank: number): TemplateResult {
    const { width, budget, x, y } = this;
    const [low, top] = this.range;
    const right = width - EDGE.right;
    const bottom = HEIGHT - EDGE.bottom;
    const marks = this.logScale ? logMarks(low, top) : linearMarks(top);
    const own = budget.adapter.parameters;
    return html`<svg width=${width} height=${HEIGHT} viewBox="0 0 ${width} ${HEIGHT}" aria-hidden="true">
      ${marks.map(
        (v) =>
          svg`<line class="grid" x1=${EDGE.left} y1=${y(v)} x2=${right} y2=${y(v)}></line>
            <text class="mark" x=${EDGE.left - 6} y=${y(v) + 4} text-anchor="end">${axisMark(v)}</text>`,
      )}
      ${rankMarks(this.ranks.at(-1)!, width - EDGE.left - EDGE.right, this.logScale).map(
        (r) => svg`<text class="mark" x=${x(r)} y=${bottom + 16} text-anchor="middle">${r}</text>`,
      )}
      <text class="mark" x=${(EDGE.left + right) / 2} y=${HEIGHT - 6} text-anchor="middle">
        ${t('rank r')}
      </text>
      <text class="mark" x="0" y="14">${t('trainable parameters')}</text>
      <line class="axis" x1=${EDGE.left} y1=${bottom} x2=${right} y2=${bottom}></line>
      <line class="own" x1=${EDGE.left} y1=${y(own)} x2=${right} y2=${y(own)}></line>
      <line class="pointer" x1=${x(rank)} y1=${EDGE.top} x2=${x(rank)} y2=${bottom}></line>
      ${budget.curves.map(
        (c) =>
          svg`<polyline class="curve ${c.id}" points=${c.points.map((p) => `${x(p.rank)},${y(p.parameters)}`).join(' ')}></polyline>`,
      )}
      ${budget.curves.map(
        (c) =>
          svg`<circle class="dot ${c.id}" cx=${x(rank)} cy=${y(c.points[this.index].parameters)} r="3"></circle>`,
      )}
      <text class="mark" x=${right} y=${y(own) - 5} text-anchor="end">
        ${t('this adapter: {0}', count(own))}
      </text>
    </svg>`;
  }

  private summary(): string {
    const { curves, adapter, equal } = this.budget;
    const last = this.ranks.at(-1)!;
    const { points } = curves.find((c) => isReference({ method: c.id }))!;
    return t(
      'From rank 1 to {0}, LoRA grows from {1} to {2} parameters. This adapter’s {3} parameters equal LoRA’s at rank {4}.',
      last,
      count(points[0].parameters),
      count(points.at(-1)!.parameters),
      count(adapter.parameters),
      shortNumber(equal.exactRank),
    );
  }

  private reading(rank: number): string {
    const values = this.budget.curves.map((c) => `${c.name} ${count(c.points[this.index].parameters)}`);
    return t('Rank {0}: {1}', rank, values.join(', '));
  }

  /** All values, to read or to copy. */
  private data(): TemplateResult {
    const { curves } = this.budget;
    const rows = this.ranks.map((r, i) => [r, ...curves.map((c) => c.points[i].parameters)]);
    const text = () => csv([['rank', ...curves.map((c) => c.name)], ...rows]);
    const copy = () => this.dispatchEvent(new CustomEvent('copy-csv', { detail: text() }));
    return html`<details>
      <summary>${t('Values as a table')}</summary>
      <vscode-button appearance="secondary" @click=${copy}>${t('Copy as CSV')}</vscode-button>
      <div class="scroll tall" tabindex="0" role="region" aria-label=${t('Parameters by rank')}>
        <table>
          <thead>
            <tr>
              <th scope="col">${t('Rank')}</th>
              ${curves.map((c) => html`<th scope="col">${c.name}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              ([r, ...values]) =>
                html`<tr>
                  <th scope="row">${r}</th>
                  ${values.map((v) => html`<td>${count(v)}</td>`)}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </details>`;
  }

  private key = (e: KeyboardEvent): void => {
    const last = this.ranks.length - 1;
    const to: Record<string, number> = {
      ArrowLeft: this.index - 1,
      ArrowDown: this.index - 1,
      ArrowRight: this.index + 1,
      ArrowUp: this.index + 1,
      PageDown: this.index - 8,
      PageUp: this.index + 8,
      Home: 0,
      End: last,
    };
    if (e.key === 'Escape') this.pointed = undefined;
    if (!Object.hasOwn(to, e.key)) return;
    e.preventDefault();
    this.pointed = Math.max(0, Math.min(last, to[e.key]));
  };

  private point = (e: PointerEvent): void => {
    const at = e.clientX - (e.currentTarget as HTMLElement).getBoundingClientRect().left;
    this.pointed = nearestIndex(this.ranks.map(this.x), at);
  };
}

function nearestIndex(values: readonly number[], to: number): number {
  let best = 0;
  values.forEach((v, i) => {
    if (Math.abs(v - to) < Math.abs(values[best] - to)) best = i;
  });
  return best;
}
