import { html, LitElement, type TemplateResult } from 'lit';
import { property, state } from 'lit/decorators.js';
import { t } from '../../src/base/l10n';

/** Longest side of a thumbnail on the page; css pixels. */
const SIDE = 112;
/** Pictures that are decoded at a time: one of 1024 × 1024 pixels takes 4 MB until it is drawn small. */
const AT_ONCE = 2;

/** Thumbnails in view that are still to be drawn; the last to come into view is the first to be drawn. */
const waiting: Thumb[] = [];
let working = 0;

function work(): void {
  while (working < AT_ONCE && waiting.length > 0) {
    working++;
    void waiting
      .pop()!
      .draw()
      .finally(() => {
        working--;
        work();
      });
  }
}

/**
 * A picture of a run, drawn small onto a canvas once it comes into view: a strip may have a thousand large ones, which
 * the browser would otherwise keep in full.
 */
export class Thumb extends LitElement {
  /** The address of the file. */
  @property({ attribute: false }) src = '';
  /** The file's size, in pixels. */
  @property({ attribute: false }) size: readonly [width: number, height: number] = [1, 1];
  @state() private missing = false;
  private drawn = '';
  private watch: IntersectionObserver | undefined;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.watch = new IntersectionObserver((entries) => this.seen(entries.at(-1)!.isIntersecting), {
      rootMargin: '200px',
    });
    this.watch.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.watch?.disconnect();
    this.seen(false);
  }

  private seen(visible: boolean): void {
    const at = waiting.indexOf(this);
    if (at >= 0) waiting.splice(at, 1);
    if (!visible || this.drawn === this.src) return;
    waiting.push(this);
    work();
  }

  /** The size of the canvas: that of the picture, if it is smaller than a thumbnail. */
  private get pixels(): [width: number, height: number] {
    const ratio = window.devicePixelRatio || 1;
    const scale = Math.min(1, (SIDE * ratio) / Math.max(...this.size));
    return this.size.map((side) => Math.max(1, Math.round(side * scale))) as [number, number];
  }

  async draw(): Promise<void> {
    const { src } = this;
    const image = new Image();
    image.src = src;
    try {
      await image.decode();
    } catch {
      this.missing = true;
      return;
    }
    const canvas = this.querySelector('canvas');
    if (!canvas || src !== this.src) return;
    [canvas.width, canvas.height] = this.pixels;
    const g = canvas.getContext('2d')!;
    g.imageSmoothingQuality = 'high';
    g.drawImage(image, 0, 0, canvas.width, canvas.height);
    this.drawn = src;
  }

  protected override updated(changed: Map<string, unknown>): void {
    if (!changed.has('src')) return;
    this.missing = false;
    // Reports at once whether it is in view.
    this.watch?.unobserve(this);
    this.watch?.observe(this);
  }

  protected override render(): TemplateResult {
    const [width, height] = this.size;
    const scale = SIDE / Math.max(width, height);
    // Not in the element's style attribute, which the page's policy forbids.
    this.style.setProperty('--width', `${width * scale}px`);
    this.style.setProperty('--height', `${height * scale}px`);
    if (this.missing) return html`<span class="none">${t('unreadable')}</span>`;
    return html`<canvas
      aria-hidden="true"
      class=${Math.max(width, height) < SIDE ? 'pixelated' : ''}
      width="1"
      height="1"
    ></canvas>`;
  }
}

customElements.define('aurora-thumb', Thumb);
