import { html, type TemplateResult, LitElement, nothing } from 'lit';
import { RunData } from './run-data';
import { lossSummary, emptyWords } from './run-words';
import { customElement } from 'lit/decorators.js';
import { guard } from 'lit/directives/guard.js';
import { metricHover } from '../../src/experiment/metrics';
import type { RunAction, RunFromPage, RunOpen, RunToPage } from '../../src/protocol/panels/run';
import type { ChartFormat } from '../../src/protocol/panels/save-chart';
import { lowerBound, nearest } from '../charts/curve';
import { connect, post, saveUi, savedUi } from '../ui/host';
import { t } from '../../src/base/l10n';
import { readouts } from './chart-readouts';
import { ChartParts, pointAt } from './chart-parts';
import { chartNote, drawnQuantities, LOSS, QUANTITIES, type Quantity } from './quantities';
import { DataSection, environmentTable, metricsTable } from './run-tables';
import { forkBar, pointWords, type Point, pointMenu, type OpenMenu } from './point-menu';
import { header } from './run-header';
import { curveKey } from './curve-keys';
import { pictureStrip } from './picture-strip';
import { samplesTable } from './samples-table';
import { chartFile } from './save-chart';
import { settingsTable } from './settings-table';
import { placeTip, spokenValues, tip } from './chart-tip';
import { lineKey, toolbar } from './chart-toolbar';
import { DEFAULT_UI, drawnUi, fullRange, visibleRuns, zoomOn, type DrawnUi, type RunUi } from './chart-views';

/** Minimum interval between announcements of the live region. */
const SPEAK_MS = 10_000;

/** Polite and infrequent: a screen reader must not announce something four times a second. */
export class Speech {
  private spoken = { text: '', at: -Infinity };

  say(runs: readonly RunData[]): TemplateResult {
    const now = performance.now();
    if (now - this.spoken.at >= SPEAK_MS) {
      const text = runs
        .map((r) => (runs.length > 1 ? `${r.facts?.name}: ${lossSummary(r)}` : lossSummary(r)))
        .join(' ');
      if (text !== this.spoken.text) this.spoken = { text, at: now };
    }
    return html`<p class="visually-hidden" role="status" data-live>${this.spoken.text}</p>`;
  }
}

/** New data is drawn at most ten times a second; user actions take effect immediately. */
const REDRAW_MS = 100;

const fork = (run: string, step: number): void => send({ type: 'fork', run, step });

const empty = (run: RunData) => html`<p class="empty">${emptyWords(run)}</p>`;

const send = (message: RunFromPage): void => post(message);

/** The page: holds the runs, and redraws all of them after every change. */
@customElement('aurora-run')
export class RunPage extends LitElement {
  private runs: RunData[] = [];
  private ui: RunUi = { ...DEFAULT_UI, ...savedUi<RunUi>() };
  private known = false;
  private waiting = false;
  /** Offset of the host's clock from this one; ms. */
  private clock = 0;
  private version = 0;
  private dataVersion = 0;
  private timer = 0;
  private lastDrawn = -Infinity;
  private hover: number | undefined;
  /** The position of the mouse in the window. */
  private mouse = { left: 0, top: 0 };
  /** True while the keys move the cursor. */
  private keyed = false;
  private pinned: { folder: string; index: number } | undefined;
  private menu: OpenMenu | undefined;
  private readonly dataSection = new DataSection(
    () => this.requestUpdate(),
    (table, run) => send({ type: 'copyCsv', run, table }),
  );
  private pair: [number, number] = [0, 1];
  private saved = '';
  /** The run whose samples are shown. */
  private sampled = 0;
  private readonly speech = new Speech();

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    connect<RunOpen, RunToPage>(
      ({ runs }) => {
        this.runs = runs.map((folder, i) => new RunData(folder, i));
        this.dataVersion++;
        this.redraw();
      },
      (message) => this.receive(message),
    );
    // Before a chart reports its cursor.
    const track = (e: MouseEvent) => (this.mouse = { left: e.clientX, top: e.clientY });
    window.addEventListener('mousemove', track, true);
    window.addEventListener('mousedown', (e) => {
      if (this.menu && !(e.target as Element).closest?.('.point-menu')) this.closeMenu();
    });
  }

  private readonly parts = new ChartParts(() => this.ui.axis, {
    onCursor: (x) => {
      this.hover = x;
      this.requestUpdate();
    },
    onZoom: (range) => this.zoom(range),
    onFlag: (x) => this.pickNearest(x),
    onPick: (quantity, x, y, menu) => {
      if (quantity.key === LOSS.key) this.pick(x, y, menu);
      else if (menu) this.openMenu(quantity.key, undefined, menu);
    },
  });

  private receive(message: RunToPage): void {
    switch (message.type) {
      case 'snapshot':
      case 'append':
        return this.take(message);
      case 'copied':
        return this.dataSection.copied(message.rows);
      case 'saved':
        this.saved = t('Saved {0}.', message.name);
        return this.requestUpdate();
    }
  }

  private take({ type, now, updates }: Extract<RunToPage, { type: 'snapshot' | 'append' }>): void {
    this.clock = now - Date.now();
    if (type === 'snapshot') this.waiting = false;
    this.known = true;
    this.dataVersion++;
    const whole = updates.map((u) => this.runs.find((r) => r.folder === u.run)?.apply(u) ?? true);
    if (whole.includes(false) && !this.waiting) {
      this.waiting = true;
      send({ type: 'snapshot' });
    }
    this.timer ||= window.setTimeout(
      () => {
        this.timer = 0;
        this.redraw();
      },
      Math.max(0, this.lastDrawn + REDRAW_MS - performance.now()),
    );
  }

  /** After new data, or a change of how they are drawn. */
  private redraw(): void {
    this.lastDrawn = performance.now();
    this.version++;
    this.requestUpdate();
  }

  private readonly change = (ui: Partial<RunUi>): void => {
    this.ui = { ...this.ui, ...ui };
    if (ui.hidden) this.dataVersion++;
    saveUi(this.ui);
    this.redraw();
  };

  private get visible(): RunData[] {
    return visibleRuns(this.runs, this.ui);
  }
  private get drawn(): DrawnUi {
    return drawnUi(this.ui, this.visible);
  }
  private get full(): [number, number] {
    return fullRange(this.visible, this.ui.axis);
  }
  private get range(): [number, number] {
    return (this.ui.zoom && zoomOn(this.ui.axis, this.ui.zoom, this.full)) || this.full;
  }

  /** The chosen point, otherwise the newest of the first run that has any. */
  private get point(): Point | undefined {
    const chosen = this.visible.find((r) => r.folder === this.pinned?.folder && r.records > 0);
    if (chosen) return { run: chosen, index: Math.min(this.pinned!.index, chosen.records - 1) };
    const run = this.visible.find((r) => r.records > 0);
    return run && { run, index: run.records - 1 };
  }
  private get cursor(): number | undefined {
    const { point } = this;
    return this.hover ?? (this.pinned && point ? point.run.x(this.ui.axis)[point.index] : undefined);
  }

  private readonly zoom = (range: readonly [number, number] | undefined): void => {
    this.change({ zoom: range && zoomOn(this.ui.axis, range, this.full) });
  };

  private pin({ run, index }: Point): void {
    this.pinned = { folder: run.folder, index };
    const x = run.x(this.ui.axis)[index];
    const [min, max] = this.range;
    if (x < min || x > max) this.zoom([x - (max - min) / 2, x + (max - min) / 2]);
    this.requestUpdate();
  }

  private pick(x: number, y: number, menu: { left: number; top: number } | undefined): void {
    const point = pointAt(this.visible, this.drawn, x, y);
    if (point) this.pin(point);
    if (menu) this.openMenu(LOSS.key, point, menu);
  }

  /** Chooses the step of an event. */
  private pickNearest(x: number): void {
    const run = this.visible.find((r) => r.records > 0);
    if (run) this.pin({ run, index: nearest(run.x(this.ui.axis), x) });
  }

  private openMenu(
    chart: string,
    point: Point | undefined,
    at: { left: number; top: number },
    opener?: HTMLElement,
  ): void {
    this.menu = { chart, point: point && { run: point.run, index: point.index }, ...at, opener };
    this.requestUpdate();
  }

  private readonly closeMenu = (): void => {
    // Its focus goes elsewhere when it closes, which closes it again.
    if (!this.menu) return;
    const opener = this.menu.opener ?? this.querySelector<HTMLElement>('[role=slider]');
    this.menu = undefined;
    this.requestUpdate();
    opener?.focus({ preventScroll: true });
  };

  private readonly save = (chart: string, format: ChartFormat): void => {
    const { visible, drawn } = this;
    const quantity = [LOSS, ...QUANTITIES].find((q) => q.key === chart);
    if (!quantity || visible.length === 0) return;
    this.saved = '';
    void chartFile(
      format,
      quantity,
      visible,
      drawn,
      this.view(quantity),
      this.parts.options(quantity, 0),
    ).then((data) => send({ type: 'saveChart', run: visible[0].folder, chart, format, data }));
  };

  private onKey(e: KeyboardEvent): void {
    const { point } = this;
    const host = e.target as HTMLElement;
    if (!point || host.getAttribute('role') !== 'slider') return;
    const x = point.run.x(this.ui.axis);
    const [min, max] = this.range;
    const key = curveKey(e, point, this.visible, lowerBound(x, max) - lowerBound(x, min));
    if (!key) return;
    e.preventDefault();
    const at = x[point.index];
    switch (key.kind) {
      case 'point':
        this.hover = undefined;
        return this.pin(key.point);
      case 'zoom': {
        const middle = Math.min(Math.max(at, min), max);
        return this.zoom([middle - (middle - min) * key.factor, middle + (max - middle) * key.factor]);
      }
      case 'all':
        return this.zoom(undefined);
      case 'menu': {
        this.pin(point);
        const { left, top } = this.crosshair(at);
        return this.openMenu(LOSS.key, point, { left, top: top + 24 });
      }
      case 'clear':
        this.pinned = undefined;
        this.requestUpdate();
    }
  }

  private view(quantity: Quantity) {
    return this.parts.view(quantity, this.version, this.runs, this.drawn, this.range);
  }

  private chart(quantity: Quantity, height: number, position?: object): TemplateResult {
    return html`<aurora-chart
      data-chart=${quantity.key}
      .heading=${quantity.title()}
      .definition=${quantity.metric && !quantity.records ? metricHover(quantity.metric) : ''}
      .note=${chartNote(quantity, this.visible)}
      .view=${this.view(quantity)}
      .cursor=${this.cursor}
      .options=${this.parts.options(quantity, height)}
      .readouts=${readouts(quantity, this.visible, this.drawn, this.cursor)}
      .summary=${this.parts.summary(quantity, this.dataVersion, this.visible)}
      .openMenu=${(at: { left: number; top: number }, opener: HTMLElement) =>
        this.openMenu(quantity.key, quantity.key === LOSS.key ? this.point : undefined, at, opener)}
      .position=${position}
    ></aurora-chart>`;
  }

  protected override render(): unknown {
    if (!this.known) return html`<p class="quiet" role="status">${t('Reading the run…')}</p>`;
    const several = this.runs.length > 1;
    const now = Date.now() + this.clock;
    // Parts that depend only on the data are not recomputed for every pointer move.
    const data = this.dataVersion;
    const act = {
      act: (action: RunAction, run: RunData) => send({ type: 'action', action, run: run.folder }),
    };
    return html`<main>
      ${several ? html`<h1>${t('Compare {0} runs', this.runs.length)}</h1>` : nothing}
      <div class=${several ? 'headers' : ''}>
        ${guard([data], () => this.runs.map((run) => header(run, now, several, act)))}
      </div>
      ${this.speech.say(this.runs)}
      ${this.runs.some((r) => r.records > 0) ? this.charts() : [this.runs.map(empty), pictureStrip(this.runs, data)]}
      ${guard([data, this.sampled], () => samplesTable(this.runs, this.sampled, this.chooseSamples))}
      ${guard([data], () => metricsTable(this.runs))}
      ${guard([data, this.pair], () =>
        settingsTable(
          this.runs,
          this.pair,
          (pair) => {
            this.pair = pair;
            this.requestUpdate();
          },
          (a, b) => send({ type: 'compareSettings', runs: [a.folder, b.folder] }),
        ),
      )}
      ${this.dataSection.render(this.runs, data)} ${guard([data], () => environmentTable(this.runs))}
      ${pointMenu(this.menu, {
        fork,
        save: this.save,
        resetZoom: () => this.zoom(undefined),
        close: this.closeMenu,
      })}
      ${this.tooltip()}
    </main>`;
  }

  /** One for all charts: at the mouse, or at the chosen step while keys choose it. */
  private tooltip(): unknown {
    const { cursor } = this;
    const shown = !this.menu && cursor !== undefined && (this.hover !== undefined || this.keyed);
    if (!shown || this.visible.every((r) => r.records === 0)) return nothing;
    return html`<div class="tip" aria-hidden="true">
      ${tip([LOSS, ...this.quantities], this.visible, this.drawn, cursor)}
    </div>`;
  }

  protected override updated(): void {
    const element = this.querySelector<HTMLElement>('.tip');
    if (element) placeTip(element, this.hover === undefined ? this.crosshair(this.cursor!) : this.mouse);
  }

  /** The top of the loss chart at an x, in the window. */
  private crosshair(x: number): { left: number; top: number } {
    const { left, top, width } = this.querySelector('[role=slider] .u-over')!.getBoundingClientRect();
    const [min, max] = this.range;
    return { left: left + (width * (x - min)) / (max - min), top };
  }

  private get quantities(): Quantity[] {
    return drawnQuantities(this.runs);
  }

  private charts(): TemplateResult {
    const { point, drawn, quantities } = this;
    const position = point && {
      now: point.run.column('step')[point.index],
      max: Math.max(...this.visible.map((r) => r.lastStep)),
      text: this.pointText(point, quantities),
    };
    const loss = this.chart(LOSS, 300, position ?? { now: 0, max: 0, text: t('No runs are shown.') });
    return html`${toolbar(this.runs, drawn, this.change)}
      <div
        class="loss"
        @keydown=${(e: KeyboardEvent) => this.onKey(e)}
        @focusin=${this.focusMoved}
        @focusout=${this.focusMoved}
      >
        ${loss}
      </div>
      ${lineKey(drawn, this.visible)} ${forkBar(point, this.runs.length > 1, fork)}
      <p class="quiet help">
        ${t(
          'Drag to zoom, double-click to reset the zoom, Shift+scroll to pan. With the keyboard: arrow keys select a point, + and - zoom, 0 resets the zoom, Enter opens the menu.',
        )}
      </p>
      <p class="quiet" role="status">${this.saved}</p>
      ${pictureStrip(this.runs, this.dataVersion)}
      <div class="charts">${quantities.map((q) => this.chart(q, 190))}</div>`;
  }

  private readonly focusMoved = ({ type, target }: FocusEvent): void => {
    this.keyed = type === 'focusin' && (target as Element).getAttribute('role') === 'slider';
    this.requestUpdate();
  };

  /** For a screen reader also what the other charts show there; the loss is in the words of the point. */
  private pointText(point: Point, quantities: readonly Quantity[]): string {
    const x = point.run.x(this.ui.axis)[point.index];
    return [pointWords(point), spokenValues(quantities, point.run, this.drawn, x)]
      .filter(Boolean)
      .join(' · ');
  }

  private readonly chooseSamples = (run: number): void => {
    this.sampled = run;
    this.requestUpdate();
  };
}
