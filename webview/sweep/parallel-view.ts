import type { Axis } from '../../src/study/sweep/axis';
import { html, LitElement, nothing, svg, type TemplateResult } from 'lit';
import { property, state } from 'lit/decorators.js';
import { own } from '../../src/base/names';
import type { PageTrial } from '../../src/protocol/panels/sweep';
import { axisShapes } from '../../src/study/sweep/sweep-figures';
import {
  lineOf,
  nearestLine,
  parallelLayout,
  yOf,
  type Brushes,
  type ParallelLayout,
} from '../../src/study/sweep/parallel';
import { SHADES } from '../../src/study/sweep/sweep-style';
import { pathData } from '../../src/study/figures/svg';
import { shape } from '../ui/figure-shape';
import { t } from '../../src/base/l10n';
import type { Shown } from './sweep-model';

type Range = readonly [low: number, high: number];

/** A drag shorter than this, in shares of the axis, removes the range. */
const LEAST = 0.015;

/** The range between two points of an axis; undefined if they are the same. */
function dragged(from: number, to: number): Range | undefined {
  const inside = (v: number) => Math.min(1, Math.max(0, v));
  const [low, high] = from < to ? [inside(from), inside(to)] : [inside(to), inside(from)];
  return high - low < LEAST ? undefined : [low, high];
}

/**
 * The range after a key: arrows move it, with Shift they move its upper end, Home and End take it to an end, and Escape or
 * Delete remove it. 'other' for any other key.
 */
function brushKey(
  { key, shiftKey }: Pick<KeyboardEvent, 'key' | 'shiftKey'>,
  range: Range | undefined,
  axis: Axis,
): Range | undefined | 'other' {
  const step = axis.kind === 'category' && axis.values.length > 1 ? 1 / (axis.values.length - 1) : 0.05;
  const up = key === 'ArrowUp' || key === 'ArrowRight';
  const down = key === 'ArrowDown' || key === 'ArrowLeft';
  if (key === 'Escape' || key === 'Delete' || key === 'Backspace') return undefined;
  if (!up && !down && key !== 'Home' && key !== 'End') return 'other';
  // The first key takes the upper or the lower half.
  const [low, high] = range ?? (up || key === 'End' ? [0.5, 1] : [0, 0.5]);
  if (!range) return [low, high];
  if (key === 'Home') return [0, high - low];
  if (key === 'End') return [1 - (high - low), 1];
  const by = up ? step : -step;
  if (shiftKey) return [low, Math.min(1, Math.max(low, high + by))];
  const moved = Math.min(1 - high, Math.max(-low, by));
  return [low + moved, high + moved];
}

/** The values within a range, in words: "0.001 to 0.01", "lora, vera". */
export function rangeText(axis: Axis, [low, high]: Range): string {
  const inside = axis.values.filter((v) => {
    const at = axis.at(v);
    return at !== undefined && at >= low - 1e-6 && at <= high + 1e-6;
  });
  if (inside.length === 0) return '–';
  const texts = inside.map((v) => axis.text(v));
  if (axis.kind === 'category') return texts.join(', ');
  return texts.length === 1 ? texts[0] : `${texts[0]} – ${texts.at(-1)!}`;
}

const HEIGHT = 300;
/** A drag may begin at this distance from an axis, in pixels. */
const GRIP = 12;

/** With more trials, their lines are thinner, so that they do not become an area. */
const DENSE = 200;

/** Fired when a range has changed; `detail` has all ranges. */
export const BRUSHED = 'brushed';
/** The trial under the pointer, in `detail`; undefined for none. */
export const POINTED = 'pointed';
/** A trial was clicked, or (`open`) double-clicked. */
export const PICKED = 'picked';

/**
 * Parallel coordinates: an axis for each setting that varies and one for the metric; a line for each trial. Lines are drawn
 * together by shade, so that a thousand take a dozen elements.
 */
export class ParallelView extends LitElement {
  @property({ attribute: false }) shown!: Shown;
  /** The trials within all ranges. */
  @property({ attribute: false }) kept!: readonly PageTrial[];
  @property({ attribute: false }) brushes: Brushes = {};
  /** Highlighted. */
  @property({ attribute: false }) marked: PageTrial | undefined;
  @state() private width = 640;
  @state() private drag: { axis: number; from: number; to: number } | undefined;
  private readonly sizes = new ResizeObserver(([entry]) => {
    this.width = Math.floor(entry.contentRect.width);
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

  get layout(): ParallelLayout {
    return parallelLayout(this.shown.all, this.width, HEIGHT);
  }

  protected override render(): TemplateResult {
    const { layout, shown, marked } = this;
    return html`<div class="scroll">
      <svg
        class=${shown.trials.length > DENSE ? 'parallel dense' : 'parallel'}
        width=${layout.width}
        height=${layout.height}
        role="group"
        aria-label=${t(
          'Parallel coordinates of {0} trials. Each axis takes a range: arrow keys move it, Shift and an arrow key move its upper end, Escape removes it.',
          shown.trials.length,
        )}
        @pointerdown=${this.onDown}
        @pointermove=${this.onMove}
        @pointerup=${this.onUp}
        @pointerleave=${() => this.tell(POINTED, undefined)}
        @click=${(e: MouseEvent) => this.onClick(e, false)}
        @dblclick=${(e: MouseEvent) => this.onClick(e, true)}
      >
        ${this.lines(layout)}
        ${marked ? svg`<path class="trial marked" d=${pathData(lineOf(layout, marked))}></path>` : nothing}
        ${axisShapes(layout).map(shape)} ${layout.axes.map((_, i) => this.handle(layout, i))}
      </svg>
    </div>`;
  }

  /** One path for each shade, the best on top. */
  private lines(layout: ParallelLayout): TemplateResult[] {
    const { shown, kept } = this;
    const inside = new Set(kept);
    const names = ['out', 'unmeasured', ...Array.from({ length: SHADES }, (_, k) => `shade-${k}`)];
    const paths = new Map(names.map((name) => [name, '']));
    for (const trial of shown.trials) {
      if (trial.state === 'dropped' || trial.state === 'passed-over') continue;
      const name = !inside.has(trial)
        ? 'out'
        : trial.metric === undefined
          ? 'unmeasured'
          : `shade-${shown.shade(trial.metric)}`;
      const line = lineOf(layout, trial);
      if (line.length > 1) paths.set(name, paths.get(name)! + pathData(line));
    }
    return [...paths]
      .filter(([, d]) => d !== '')
      .map(([name, d]) => svg`<path class="trial ${name}" d=${d}></path>`);
  }

  /** The focused and dragged element: the axis with its range. */
  private handle(layout: ParallelLayout, i: number): TemplateResult {
    const axis = layout.axes[i];
    const { drag } = this;
    const range = drag?.axis === i ? dragged(drag.from, drag.to) : this.range(i);
    const [x, top] = [layout.x[i], yOf(layout, range?.[1] ?? 1)];
    return svg`<g
      class="handle"
      role="slider"
      tabindex="0"
      data-axis=${axis.key}
      aria-label=${t('Range of {0}', axis.label)}
      aria-orientation="vertical"
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${Math.round(100 * (range?.[1] ?? 1))}
      aria-valuetext=${range ? rangeText(axis, range) : t('all')}
      @keydown=${(e: KeyboardEvent) => this.onKey(e, i)}
    >
      <rect class="grip" x=${x - GRIP} y=${layout.top - 6} width=${2 * GRIP} height=${layout.bottom - layout.top + 12}></rect>
      ${
        range
          ? svg`<rect class="brush" x=${x - 6} y=${top} width="12" height=${Math.max(2, yOf(layout, range[0]) - top)}></rect>`
          : nothing
      }
    </g>`;
  }

  private range(i: number): Range | undefined {
    return own(this.brushes, this.shown.all[i].key);
  }

  private setRange(i: number, range: Range | undefined): void {
    const { key } = this.shown.all[i];
    const others = Object.entries(this.brushes).filter(([k]) => k !== key);
    this.tell(BRUSHED, Object.fromEntries([...others, ...(range ? [[key, range] as const] : [])]));
  }

  private tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  private place(e: MouseEvent): [x: number, y: number] {
    const box = this.querySelector('svg')!.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  }

  private readonly share = (y: number): number => {
    const { top, bottom } = this.layout;
    return (bottom - y) / (bottom - top);
  };

  private onDown(e: PointerEvent): void {
    if (e.button !== 0) return;
    const [x, y] = this.place(e);
    const { layout } = this;
    const axis = layout.x.findIndex((at) => Math.abs(at - x) <= GRIP);
    if (axis < 0 || y < layout.top - GRIP || y > layout.bottom + GRIP) return;
    this.drag = { axis, from: this.share(y), to: this.share(y) };
    (e.currentTarget as Element).setPointerCapture(e.pointerId);
  }

  private onMove(e: PointerEvent): void {
    const [x, y] = this.place(e);
    if (this.drag) this.drag = { ...this.drag, to: this.share(y) };
    else this.tell(POINTED, nearestLine(this.layout, this.kept, [x, y])?.id);
  }

  private onUp(): void {
    const { drag } = this;
    if (!drag) return;
    this.setRange(drag.axis, dragged(drag.from, drag.to));
    this.drag = undefined;
  }

  private onClick(e: MouseEvent, open: boolean): void {
    const [x, y] = this.place(e);
    // A click on an axis removes its range.
    if (this.layout.x.some((at) => Math.abs(at - x) <= GRIP)) return;
    const trial = nearestLine(this.layout, this.kept, [x, y]);
    if (trial) this.tell(PICKED, { id: trial.id, open });
  }

  private onKey(e: KeyboardEvent, i: number): void {
    if (e.ctrlKey || e.altKey || e.metaKey) return;
    const range = brushKey(e, this.range(i), this.shown.all[i]);
    if (range === 'other') return;
    e.preventDefault();
    this.setRange(i, range);
  }
}
