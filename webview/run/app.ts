import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { guard } from 'lit/directives/guard.js';
import { own } from '../../src/base/names';
import { metricHover } from '../../src/experiment/metrics';
import type { RunAction, RunFromPage, RunOpen, RunToPage } from '../../src/protocol/panels/run';
import type { ChartOptions, ChartView } from '../charts/line-chart';
import { lowerBound, nearest } from '../charts/search';
import { connect, post, saveUi, savedUi } from '../ui/host';
import { t } from '../ui/l10n';
import './chart-figure';
import { forkBar, pointWords, type Point } from './fork';
import { formatNumber, formatTime, TIME_INCREMENTS } from './format';
import { header } from './header';
import { curveKey } from './keys';
import { RunData } from './model';
import { pointMenu, type OpenMenu } from './point-menu';
import { LOSS, QUANTITIES, smoothedRecords, type Quantity } from './quantities';
import { chartSummary, readouts } from './readouts';
import { settingsTable } from './settings';
import { dataTable, environmentTable, metricsTable, type DataPlace } from './tables';
import { lineKey, toolbar } from './toolbar';
import { clampZoom, DEFAULT_UI, fullRange, makeView, visibleRuns, type RunUi } from './views';
import { emptyWords, lossSummary } from './words';

/** New data is drawn at most ten times a second; user actions take effect immediately. */
const REDRAW_MS = 100;
/** Minimum interval between announcements of the live region. */
const SPEAK_MS = 10_000;

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
  private views = new Map<string, { version: number; view: ChartView }>();
  private version = 0;
  private readonly summaries = new Map<string, { version: number; text: string }>();
  private dataVersion = 0;
  private timer = 0;
  private lastDrawn = -Infinity;
  private hover: number | undefined;
  private pinned: { folder: string; index: number } | undefined;
  private menu: OpenMenu | undefined;
  private place: DataPlace = { table: 'records', run: 0 };
  private dataOpen = false;
  private pair: [number, number] = [0, 1];
  private copied = '';
  private spoken = { text: '', at: -Infinity };
  private readonly options = new Map<string, ChartOptions>();

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
    window.addEventListener('mousedown', (e) => {
      if (this.menu && !(e.target as Element).closest?.('.point-menu')) this.closeMenu();
    });
  }

  private receive(message: RunToPage): void {
    switch (message.type) {
      case 'snapshot':
      case 'append':
        return this.take(message);
      case 'copied':
        this.copied = t('Copied {0} rows.', message.rows);
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

  /** Redraws everything: data or the way it is drawn changed. */
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
  private get full(): [number, number] {
    return fullRange(this.visible, this.ui.axis);
  }
  private get range(): [number, number] {
    return (this.ui.zoom && clampZoom(this.ui.zoom, this.full)) || this.full;
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
    this.change({ zoom: range && clampZoom(range, this.full) });
  };

  private readonly hoverAt = (x: number | undefined): void => {
    this.hover = x;
    this.requestUpdate();
  };

  private pin({ run, index }: Point): void {
    this.pinned = { folder: run.folder, index };
    const x = run.x(this.ui.axis)[index];
    const [min, max] = this.range;
    if (x < min || x > max) this.zoom([x - (max - min) / 2, x + (max - min) / 2]);
    this.requestUpdate();
  }

  /** A click in the loss chart chooses the point nearest in x, of the run nearest in y. */
  private pick(x: number, y: number, menu: { left: number; top: number } | undefined): void {
    const candidates = this.visible
      .filter((r) => r.records > 0)
      .map((run) => {
        const index = nearest(run.x(this.ui.axis), x);
        const loss = this.ui.weight > 0 ? smoothedRecords(LOSS, run, this.ui.weight) : run.column('loss');
        return { run, index, distance: Math.abs(loss[index] - y) };
      });
    if (candidates.length === 0) return;
    const point = candidates.reduce((a, b) => (b.distance < a.distance ? b : a));
    this.pin(point);
    if (menu) this.openMenu(point, menu);
  }

  private openMenu(point: Point, at: { left: number; top: number }): void {
    this.menu = { point: { run: point.run, index: point.index }, ...at };
    this.requestUpdate();
  }

  private readonly closeMenu = (): void => {
    this.menu = undefined;
    this.requestUpdate();
    this.querySelector<HTMLElement>('[role=slider]')?.focus({ preventScroll: true });
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
        const box = host.querySelector('.u-over')!.getBoundingClientRect();
        const left = box.left + (box.width * (at - min)) / (max - min);
        return this.openMenu(point, { left, top: box.top + 24 });
      }
      case 'clear':
        this.pinned = undefined;
        this.requestUpdate();
    }
  }

  private chartOptions(quantity: Quantity, height: number): ChartOptions {
    const { key } = quantity;
    const found = this.options.get(key);
    if (found) return found;
    const time = () => this.ui.axis === 'time';
    const options: ChartOptions = {
      height,
      formatX: (v) => (time() ? formatTime(v) : formatNumber(v)),
      formatY: quantity.formatTick ?? quantity.format,
      xIncrements: () => (time() ? TIME_INCREMENTS : undefined),
      onCursor: this.hoverAt,
      onZoom: this.zoom,
      onPick: key === LOSS.key ? (x, y, menu) => this.pick(x, y, menu) : undefined,
    };
    this.options.set(key, options);
    return options;
  }

  private view(quantity: Quantity): ChartView {
    const { version } = this;
    const kept = this.views.get(quantity.key);
    if (kept?.version === version) return kept.view;
    const view = makeView(quantity, this.runs, this.ui, this.range);
    this.views.set(quantity.key, { version, view });
    return view;
  }

  /** Examines every value, so only when there are new ones. */
  private summary(quantity: Quantity): string {
    const { dataVersion: version, visible } = this;
    const kept = this.summaries.get(quantity.key);
    if (kept?.version === version) return kept.text;
    const text =
      quantity.key === LOSS.key ? visible.map(lossSummary).join(' ') : chartSummary(quantity, visible);
    this.summaries.set(quantity.key, { version, text });
    return text;
  }

  private chart(quantity: Quantity, height: number, position?: object): TemplateResult {
    return html`<aurora-chart
      data-chart=${quantity.key}
      .heading=${quantity.title()}
      .definition=${quantity.metric && !quantity.records ? metricHover(quantity.metric) : ''}
      .view=${this.view(quantity)}
      .cursor=${this.cursor}
      .options=${this.chartOptions(quantity, height)}
      .readouts=${readouts(quantity, this.visible, this.ui, this.cursor)}
      .summary=${this.summary(quantity)}
      .position=${position}
    ></aurora-chart>`;
  }

  protected override render(): unknown {
    if (!this.known) return html`<p class="quiet" role="status">${t('Reading the run…')}</p>`;
    const several = this.runs.length > 1;
    const now = Date.now() + this.clock;
    // What depends only on the data is not recomputed for every pointer move.
    const data = this.dataVersion;
    const act = {
      act: (action: RunAction, run: RunData) => send({ type: 'action', action, run: run.folder }),
    };
    return html`<main>
      ${several ? html`<h1>${t('Compare {0} runs', this.runs.length)}</h1>` : nothing}
      <div class=${several ? 'headers' : ''}>
        ${guard([data], () => this.runs.map((run) => header(run, now, several, act)))}
      </div>
      ${this.speech()} ${this.runs.some((r) => r.records > 0) ? this.charts() : this.empty()}
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
      ${guard([data, this.place, this.dataOpen, this.copied], () => this.data())}
      ${guard([data], () => environmentTable(this.runs))}
      ${pointMenu(this.menu, {
        fork: this.fork,
        resetZoom: () => this.zoom(undefined),
        close: this.closeMenu,
      })}
    </main>`;
  }

  private empty(): unknown {
    return this.runs.map((run) => html`<p class="empty">${emptyWords(run)}</p>`);
  }

  private charts(): TemplateResult {
    const { point } = this;
    const position = point && {
      now: point.run.column('step')[point.index],
      max: Math.max(...this.visible.map((r) => r.lastStep)),
      text: pointWords(point),
    };
    const loss = this.chart(LOSS, 300, position ?? { now: 0, max: 0, text: t('No runs are shown.') });
    return html`${toolbar(this.runs, this.ui, this.change)}
      <div class="loss" @keydown=${(e: KeyboardEvent) => this.onKey(e)}>${loss}</div>
      ${lineKey(this.ui)} ${forkBar(point, this.runs.length > 1, this.fork)}
      <p class="quiet help">
        ${t(
          'Drag to zoom, double-click to reset the zoom, Shift+scroll to pan. With the keyboard: arrow keys select a point, + and - zoom, 0 resets the zoom, Enter opens the menu.',
        )}
      </p>
      <div class="charts">${QUANTITIES.filter((q) => this.isKnown(q)).map((q) => this.chart(q, 190))}</div>`;
  }

  /** A chart without data would be an empty frame. */
  private isKnown({ metric, records, of }: Quantity): boolean {
    return this.runs.some((r) =>
      metric
        ? r.evaluations.some((e) => own(e.metrics, metric) !== undefined)
        : (of?.(r) ?? true) && records!(r).length > 0,
    );
  }

  private readonly fork = (run: string, step: number): void => send({ type: 'fork', run, step });

  private data(): unknown {
    if (this.runs.every((r) => r.records === 0)) return nothing;
    return dataTable(this.runs, this.place, this.dataOpen, this.copied, {
      go: (place) => {
        this.place = place;
        this.requestUpdate();
      },
      toggle: (open) => {
        if (open === this.dataOpen) return;
        this.dataOpen = open;
        this.requestUpdate();
      },
      copy: (table, run) => {
        this.copied = '';
        send({ type: 'copyCsv', run: run.folder, table });
      },
    });
  }

  /** Polite and infrequent: a screen reader must not announce something four times a second. */
  private speech(): TemplateResult {
    const now = performance.now();
    if (now - this.spoken.at >= SPEAK_MS) {
      const text = this.runs
        .map((r) => (this.runs.length > 1 ? `${r.facts?.name}: ${lossSummary(r)}` : lossSummary(r)))
        .join(' ');
      if (text !== this.spoken.text) this.spoken = { text, at: now };
    }
    return html`<p class="visually-hidden" role="status" data-live>${this.spoken.text}</p>`;
  }
}
