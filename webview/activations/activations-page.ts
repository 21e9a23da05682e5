import { html, LitElement, nothing } from 'lit';
import { state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type {
  ActivationsFromHost,
  ActivationsFromPage,
  ActivationsOpen,
  LayerCard,
  LayerMessage,
  NonlinearityMessage,
  ViewMessage,
  WordsMessage,
} from '../../src/protocol/panels/activations';
import type { LayerFacts } from '../../src/protocol/reports/nonlinearity-report';
import { onThemeChange } from '../charts/chart-colors';
import { connect, post, savedUi, saveUi } from '../ui/host';
import { t } from '../../src/base/l10n';
import { largeView } from './layer-detail';
import { csv, SORTS, type Sort } from './activation-numbers';
import { sigmaEffect } from './sigma-effect';
import { Player, timeline } from './timeline';

/** The target of a key in a grid of cards that wraps with the window's width; undefined for other keys. */
function gridKey(key: string, at: number, cards: readonly HTMLElement[]): number | undefined {
  const row = cards[at].offsetTop;
  const columns = cards.filter((c) => c.offsetTop === cards[0].offsetTop).length;
  const to: Record<string, number> = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at - columns,
    ArrowDown: at + columns,
    Home: cards.findIndex((c) => c.offsetTop === row),
    End: cards.findLastIndex((c) => c.offsetTop === row),
  };
  return cards[to[key]] ? to[key] : Object.hasOwn(to, key) ? at : undefined;
}

interface Ui {
  step: number | 'latest';
  path: string;
  output: number;
  input: number;
  bin: number;
  sort: Sort;
  filter: string;
  speed: number;
}

const say = (message: ActivationsFromPage): void => post(message);

/** All adapted layers as cards, one of them in detail, over training time. */
export class ActivationsPage extends LitElement {
  @state() private view: ViewMessage | undefined;
  @state() private effect: NonlinearityMessage | undefined;
  @state() private layer: LayerMessage | undefined;
  @state() private words: WordsMessage | undefined;
  @state() private error = '';
  @state() private copied = '';
  @state() private theme = 0;
  /** The card in the tab order. */
  @state() private current = '';
  private ui: Partial<Ui> = savedUi<Ui>();
  private scrollToLarge = false;
  private unwatch: (() => void) | undefined;
  private readonly player = new Player(
    () => this.showNext(),
    () => this.requestUpdate(),
  );

  /** One style sheet for everything. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.player.speed = this.ui.speed ?? 1;
    this.unwatch = onThemeChange(() => this.theme++);
    connect<ActivationsOpen, ActivationsFromHost>(
      () => this.restore(),
      (message) => this.receive(message),
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.unwatch?.();
    this.player.pause();
  }

  private restore(): void {
    const { step, path, output = 0, input = 0 } = this.ui;
    if (path !== undefined) say({ type: 'layer', path, output, input });
    if (step !== undefined && step !== 'latest') say({ type: 'show', step });
    this.requestUpdate();
  }

  private keep(change: Partial<Ui>): void {
    this.ui = { ...this.ui, ...change };
    saveUi(this.ui);
    this.requestUpdate();
  }

  private receive(message: ActivationsFromHost): void {
    if (message.type === 'view') {
      this.view = message;
      this.error = '';
      this.player.arrived();
    } else if (message.type === 'nonlinearity') this.effect = message;
    else if (message.type === 'layer') this.receiveLayer(message);
    else if (message.type === 'words') {
      const { layer } = this;
      if (message.path === layer?.path && message.coordinate === layer.input) this.words = message;
    } else if (message.type === 'error') {
      this.error = message.message;
      this.player.pause();
    }
  }

  private receiveLayer(message: LayerMessage): void {
    if (message.path !== this.ui.path) return;
    const { layer } = this;
    const same = layer?.path === message.path && layer.input === message.input;
    if (!same) this.words = undefined;
    this.layer = message;
    // A bin contains other words at another step.
    if (this.ui.bin !== undefined && (!same || layer.step !== message.step)) this.askWords(this.ui.bin);
  }

  private askWords(bin: number): void {
    const { path, input } = this.layer!;
    this.keep({ bin });
    say({ type: 'bin', path, coordinate: input, bin });
  }

  private show(step: number | 'latest'): void {
    this.keep({ step });
    say({ type: 'show', step });
  }

  private showNext(): boolean {
    const next = this.view?.steps[this.view.steps.indexOf(this.view.step) + 1];
    if (next === undefined) return false;
    this.show(next);
    return true;
  }

  private choose(path: string, output = 0, input = 0): void {
    if (path !== this.ui.path || input !== this.ui.input) this.words = undefined;
    this.scrollToLarge = path !== this.ui.path;
    this.current = path;
    // A manually chosen bin is kept only for its own layer and coordinate.
    const stays = path === this.ui.path && input === (this.ui.input ?? 0);
    this.keep({ path, output, input, ...(!stays && { bin: undefined }) });
    say({ type: 'layer', path, output, input });
  }

  private close(): void {
    const { path } = this.ui;
    this.layer = this.words = undefined;
    this.keep({ path: undefined, bin: undefined });
    say({ type: 'layer', output: 0, input: 0 });
    void this.updateComplete.then(() => this.cardOf(path)?.focus());
  }

  private copy(text: string): void {
    say({ type: 'copy', text });
    this.copied = t('Copied {0} lines.', text.split('\n').length);
  }

  private cardOf = (path: string | undefined): HTMLElement | undefined =>
    [...this.querySelectorAll<HTMLElement>('aurora-layer-card')].find((c) => c.dataset.path === path);

  private shown(): LayerCard[] {
    const { layers = [] } = this.view ?? {};
    const wanted = (this.ui.filter ?? '').trim().toLowerCase();
    const found = layers.filter((l) => l.path.toLowerCase().includes(wanted));
    const sort = this.ui.sort ?? 'path';
    if (sort === 'path') return found;
    const value = (l: LayerCard) =>
      sort === 'rise'
        ? (this.effectOf(l.path)?.rise?.mean ?? -Infinity)
        : l.shape
          ? SORTS[sort](l.shape)
          : -Infinity;
    return found.sort((a, b) => value(b) - value(a));
  }

  private effectOf = (path: string): LayerFacts | undefined =>
    this.effect?.result?.layers.find((l) => l.path === path);

  protected override updated(): void {
    if (!this.scrollToLarge || this.layer?.path !== this.ui.path) return;
    this.scrollToLarge = false;
    const heading = this.querySelector<HTMLElement>('.large h2');
    heading?.focus({ preventScroll: true });
    heading?.scrollIntoView({ block: 'start' });
  }

  protected override render() {
    const { view, layer } = this;
    if (!view) return html`<p class="note" role="status">${this.error || t('Reading the snapshots…')}</p>`;
    return html`<h1>${t('Layer activations of {0}', view.experiment)}</h1>
      <p class="note">${view.run}${view.live ? ` · ${t('training')}` : ''}</p>
      ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
      ${view.notice ? html`<p class="notice">${view.notice}</p>` : nothing}
      ${
        view.steps.length
          ? timeline(
              view,
              this.player,
              (step) => this.show(step),
              (speed) => {
                this.player.speed = speed;
                this.keep({ speed });
              },
            )
          : nothing
      }
      ${sigmaEffect(this.effect, view, {
        measure: () => say({ type: 'measure' }),
        cancel: () => say({ type: 'cancel' }),
        show: (step) => this.show(step),
      })}
      ${this.callOuts(view)}
      ${
        layer && layer.path === this.ui.path
          ? largeView(layer, view.sigma, this.words, this.effectOf(layer.path), {
              choose: (output, input) => this.choose(layer.path, output, input),
              bin: (bin) => this.askWords(bin),
              move: (by) => this.move(by),
              close: () => this.close(),
              openRow: (example) => say({ type: 'openRow', example }),
              copy: (text) => this.copy(text),
            })
          : nothing
      }
      ${view.layers.length ? this.grid(view) : nothing}
      <p class="visually-hidden" role="status">${this.copied}</p>`;
  }

  private callOuts({ callOuts }: ViewMessage) {
    if (callOuts.length === 0) return nothing;
    return html`<section aria-label=${t('Notable layers')}>
      <h2>${t('Notable layers')}</h2>
      <ul class="call-outs">
        ${callOuts.map(
          (c) =>
            html`<li class=${c.kind}>
              <button class="link" @click=${() => this.choose(c.path)}>${t(c.sentence, ...c.values)}</button>
            </li>`,
        )}
      </ul>
    </section>`;
  }

  private move(by: number): void {
    const shown = this.shown();
    const at = shown.findIndex((l) => l.path === this.ui.path);
    const next = shown[(at + by + shown.length) % shown.length];
    if (next) this.choose(next.path, 0, 0);
  }

  private grid(view: ViewMessage) {
    const shown = this.shown();
    const reached = shown.some((l) => l.path === this.current) ? this.current : shown[0]?.path;
    const sorts: [Sort, string][] = [
      ['path', t('Model order')],
      ['change', t('Most changed')],
      ['linearity', t('Least linear')],
      ['saturation', t('Most saturated')],
      ['outside', t('Most outside the support')],
      ...(this.effect?.result?.layers.some((l) => l.rise)
        ? [['rise', t('Largest rise of the loss')] as [Sort, string]]
        : []),
    ];
    return html`<section aria-label=${t('All layers')}>
      <h2>${t('All layers')}</h2>
      <div class="choosers">
        <label
          >${t('Filter by path')}
          <input
            type="search"
            .value=${this.ui.filter ?? ''}
            @input=${(e: Event) => this.keep({ filter: (e.target as HTMLInputElement).value })}
        /></label>
        ${
          view.sigma
            ? html`<label
                >${t('Sort')}
                <select
                  @change=${(e: Event) => this.keep({ sort: (e.target as HTMLSelectElement).value as Sort })}
                >
                  ${sorts.map(([value, text]) => html`<option value=${value} ?selected=${value === (this.ui.sort ?? 'path')}>${text}</option>`)}
                </select></label
              >`
            : nothing
        }
        <span role="status">${t('{0} of {1} layers', shown.length, view.layers.length)}</span>
        <vscode-button appearance="secondary" @click=${() => this.copy(layersCsv(shown, this.effectOf))}
          >${t('Copy Layers as CSV')}</vscode-button
        >
      </div>
      <p class="note">
        ${
          view.sigma
            ? t(
                'Each card shows output i of σ over z[i], with the others at their medians, and the histogram of all z. Click a layer or press Enter to enlarge it; use the arrow keys to move.',
              )
            : t(
                'Each card shows the histogram of all z. Click a layer or press Enter to enlarge it; use the arrow keys to move.',
              )
        }
      </p>
      <div class="grid" role="listbox" aria-label=${t('Layers')} @keydown=${this.gridKeys}>
        ${repeat(
          shown,
          (l) => l.path,
          (l) =>
            html`<aurora-layer-card
              role="option"
              data-path=${l.path}
              tabindex=${l.path === reached ? 0 : -1}
              aria-selected=${l.path === this.ui.path ? 'true' : 'false'}
              .layer=${l}
              .sigma=${view.sigma}
              .effect=${this.effectOf(l.path)}
              .theme=${this.theme}
              @focus=${() => (this.current = l.path)}
              @click=${() => this.choose(l.path)}
            ></aurora-layer-card>`,
        )}
      </div>
    </section>`;
  }

  private gridKeys(e: KeyboardEvent): void {
    const cards = [...this.querySelectorAll<HTMLElement>('aurora-layer-card')];
    const at = cards.findIndex((c) => c === document.activeElement);
    if (at < 0) return;
    if (e.key === 'Enter' || e.key === ' ') this.choose(cards[at].dataset.path!);
    else {
      const to = gridKey(e.key, at, cards);
      if (to === undefined) return;
      cards[to].focus();
    }
    e.preventDefault();
  }
}

function layersCsv(layers: readonly LayerCard[], effectOf: (path: string) => LayerFacts | undefined): string {
  const head = [
    'layer',
    'rank',
    'tokens',
    'r2_of_line',
    'saturation',
    'outside',
    'change',
    'relative_change',
    'r2_of_fit',
    'rise_of_loss',
    'standard_error',
  ];
  return csv([
    head,
    ...layers.map(({ path, rank, tokens, shape: s }) => {
      const { r2, rise } = effectOf(path) ?? {};
      return [
        path,
        rank,
        tokens,
        ...[
          ...[s?.linearity, s?.saturation, s?.outside, s?.change, s?.relativeChange],
          ...[r2, rise?.mean, rise?.error],
        ].map((v) => v ?? ''),
      ];
    }),
  ]);
}
