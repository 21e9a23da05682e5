import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { cellText, columnTitle } from '../../src/study/runs-table/runs-columns';
import {
  type SortKey,
  columnAt,
  isNumeric,
  valueAt,
  type Column,
  type Row,
} from '../../src/study/runs-table/table';
import { count } from '../../src/base/number-text';
import { t } from '../../src/base/l10n';
import { cell, groupCell } from './grid-cells';
import { ColumnSizer, widthsOf } from './grid-columns';
import { gridKey, widthKey } from './grid-keys';
import { type Line, MOST_CURVES } from './runs-model';
import { swatch } from '../run/swatches';
import { NO_MENU, rowMenu, selectionMenu } from '../ui/row-menu';

/** CSS pixels of a line; runs.css has the same. */
const LINE = 26;
/** The checkbox and the pin. */
const TOOLS = 64;
/** Lines drawn above and below what is visible, so that a fast scroll shows no gap. */
const MORE = 8;
/** Group lines have the values and the number of runs in the first column, which is this wide for the first value. */
const GROUP_WIDTH = 160;
/** For a second value. */
const MORE_WIDTH = 90;

export interface GridActions {
  sort(column: Column): void;
  check(folder: string, on: boolean): void;
  pin(folder: string, on: boolean): void;
  open(folder: string): void;
  toggle(group: string): void;
  /** Undefined: as wide as its texts. */
  resize(column: string, width: number | undefined): void;
}

/** The table: only the lines in view are in the document. */
export class RunsGrid extends LitElement {
  @property({ attribute: false }) columns: readonly Column[] = [];
  @property({ attribute: false }) shown: readonly Column[] = [];
  @property({ attribute: false }) pinned: readonly Row[] = [];
  @property({ attribute: false }) lines: readonly Line[] = [];
  @property({ attribute: false }) sort: SortKey | undefined;
  /** The columns that are grouped by. */
  @property({ attribute: false }) groups: readonly Column[] = [];
  /** The color of each checked run, by folder. */
  @property({ attribute: false }) checked: ReadonlyMap<string, number> = new Map();
  /** The commands for runs; rows refer to them. */
  @property({ attribute: false }) can: readonly string[] = [];
  /** The widths that the user has chosen, by column. */
  @property({ attribute: false }) chosen: Readonly<Record<string, number>> = {};
  @property({ attribute: false }) actions!: GridActions;
  private top = 0;
  private height = 600;
  private active = 0;
  private frame = 0;
  private widths: { for: string; px: number[] } = { for: '', px: [] };
  /** The columns' widths: a page may not have inline styles in its markup. */
  private readonly sheet = new CSSStyleSheet();
  private layout = '';
  private readonly resize = new ResizeObserver(() => this.measure());
  private readonly sizer = new ColumnSizer({
    drawn: () => this.layOut(),
    chosen: (column, width) => this.actions.resize(column, width),
  });

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.adoptedStyleSheets.push(this.sheet);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resize.disconnect();
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.sheet);
  }

  protected override firstUpdated(): void {
    this.resize.observe(this.scroller);
  }

  private get scroller(): HTMLElement {
    return this.querySelector<HTMLElement>('.grid')!;
  }

  private measure(): void {
    this.height = this.scroller.clientHeight;
    this.requestUpdate();
  }

  private readonly scrolled = (): void => {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.top = this.scroller.scrollTop;
      this.requestUpdate();
    });
  };

  /** All lines that the keyboard moves through: pinned rows, then the rest. */
  private get total(): number {
    return this.pinned.length + this.lines.length;
  }

  private lineAt(index: number): Line | undefined {
    const row = this.pinned[index];
    return row ? { kind: 'row', row } : this.lines[index - this.pinned.length];
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    // Fewer lines than before: the browser scrolls up only after this has been drawn.
    this.top = Math.max(0, Math.min(this.top, this.lines.length * LINE - this.height / 2));
    this.active = Math.min(this.active, Math.max(0, this.total - 1));
    if (changed.size === 0) return;
    // Measured again when the number of rows has grown much: not for each that changes.
    const rows = this.lines.length;
    const size = rows === 0 ? 0 : Math.ceil(Math.log2(rows));
    const key = `${this.shown.map((c) => c.key).join()} ${size} ${this.groups.map((c) => c.key).join()}`;
    if (key === this.widths.for) return;
    const sample = [
      ...this.pinned,
      ...this.lines.flatMap((l) => (l.kind === 'row' ? [l.row] : l.group.rows)),
    ];
    this.widths = { for: key, px: widthsOf(this.columns, this.shown, sample, this.isGrouped) };
  }

  private get isGrouped(): boolean {
    return this.groups.length > 0;
  }

  private widthOf(column: Column, i: number): number {
    return this.sizer.widthOf(column.key) ?? this.chosen[column.key] ?? this.widths.px[i];
  }

  private layOut(): void {
    const first = this.isGrouped ? [GROUP_WIDTH + MORE_WIDTH * (this.groups.length - 1)] : [];
    const widths = [TOOLS, ...first, ...this.shown.map((column, i) => this.widthOf(column, i))];
    const layout = widths.map((px) => `${px}px`).join(' ');
    if (layout !== this.layout) {
      const width = widths.reduce((sum, px) => sum + px, 0);
      this.sheet.replaceSync(
        `.grid .line { grid-template-columns: ${layout}; } .grid .head, .grid .body { width: ${width}px; }`,
      );
      this.layout = layout;
    }
  }

  protected override updated(): void {
    this.layOut();
    this.querySelector<HTMLElement>('.body')!.style.height = `${this.lines.length * LINE}px`;
    this.querySelector<HTMLElement>('.slice')!.style.transform = `translateY(${this.first * LINE}px)`;
  }

  private get first(): number {
    return Math.max(0, Math.min(Math.floor(this.top / LINE) - MORE, this.lines.length - 1));
  }

  private get last(): number {
    return Math.min(this.lines.length, Math.ceil((this.top + this.height) / LINE) + MORE);
  }

  protected override render(): TemplateResult {
    const { first, last } = this;
    const places = this.shown.map((column) => columnAt(this.columns, column.key));
    const activeShown =
      this.active < this.pinned.length ||
      (this.active - this.pinned.length >= first && this.active - this.pinned.length < last);
    return html`<div
      class="grid"
      role=${this.isGrouped ? 'treegrid' : 'grid'}
      tabindex="0"
      aria-label=${t('Runs')}
      aria-multiselectable="true"
      aria-rowcount=${this.total + 1}
      aria-colcount=${this.shown.length + (this.isGrouped ? 2 : 1)}
      aria-activedescendant=${this.total > 0 && activeShown ? `line-${this.active}` : nothing}
      data-vscode-context=${this.selection()}
      @scroll=${this.scrolled}
      @keydown=${this.onKey}
    >
      <div class="head" role="rowgroup">
        <div class="line header" role="row" aria-rowindex="1" data-vscode-context=${NO_MENU}>
          <div role="columnheader" class="cell">
            <span class="visually-hidden">${t('Curves and pin')}</span>
          </div>
          ${this.isGrouped ? html`<div role="columnheader" class="cell"><span>${this.groups.map((c) => columnTitle(c)).join(' · ')}</span></div>` : nothing}
          ${this.shown.map((column, i) => this.header(column, i))}
        </div>
        ${this.pinned.map((row, i) => this.row(row, i, places, true))}
      </div>
      <div class="body" role="rowgroup">
        <div class="slice">
          ${this.lines
            .slice(first, last)
            .map((line, i) =>
              line.kind === 'row'
                ? this.row(line.row, this.pinned.length + first + i, places, false)
                : this.groupLine(line, this.pinned.length + first + i),
            )}
        </div>
      </div>
    </div>`;
  }

  private header(column: Column, i: number): TemplateResult {
    const sorted =
      this.sort?.key === column.key ? (this.sort.descending ? 'descending' : 'ascending') : 'none';
    const arrow = sorted === 'none' ? '' : sorted === 'ascending' ? '↑' : '↓';
    return html`<div
      role="columnheader"
      class=${isNumeric(column) ? 'cell number' : 'cell'}
      aria-sort=${sorted}
      title=${column.key}
    >
      <button
        data-sort=${column.key}
        aria-keyshortcuts="Shift+ArrowLeft Shift+ArrowRight Shift+Home"
        @click=${() => this.actions.sort(column)}
        @keydown=${(e: KeyboardEvent) => this.onHeaderKey(e, column, i)}
      >
        <span>${columnTitle(column)}</span><span aria-hidden="true">${arrow}</span>
      </button>
      <span
        class="sizer"
        aria-hidden="true"
        title=${t('Drag to resize, double-click to fit; by keyboard, Shift and an arrow key on the heading.')}
        @pointerdown=${(e: PointerEvent) => this.sizer.start(e, column.key, this.widthOf(column, i))}
        @dblclick=${() => this.actions.resize(column.key, undefined)}
      ></span>
    </div>`;
  }

  /** The alarms of a row, also if their column is not shown; empty without any. */
  private alarmsOf(row: Row): string {
    const at = columnAt(this.columns, 'alarms');
    return at < 0 ? '' : cellText(this.columns[at], valueAt(this.columns, row, at));
  }

  private row(row: Row, index: number, places: readonly number[], pinned: boolean): TemplateResult {
    const { folder } = row;
    const color = this.checked.get(folder);
    const name = String(valueAt(this.columns, row, columnAt(this.columns, 'name')));
    const isActive = index === this.active;
    const alarms = this.alarmsOf(row);
    return html`<div
      id=${`line-${index}`}
      class=${`line row${isActive ? ' active' : ''}${pinned ? ' pinned' : ''}`}
      role="row"
      aria-rowindex=${index + 2}
      aria-level=${this.isGrouped ? (pinned ? 1 : 2) : nothing}
      aria-selected=${color !== undefined ? 'true' : 'false'}
      data-folder=${folder}
      data-vscode-context=${this.menu(row)}
      @click=${() => this.activate(index)}
      @contextmenu=${() => this.activate(index)}
      @dblclick=${() => this.actions.open(folder)}
    >
      <div role="gridcell" class="cell tools">
        <input
          type="checkbox"
          tabindex="-1"
          .checked=${color !== undefined}
          aria-label=${t('Show the curves of {0}', name)}
          @change=${(e: Event) => this.actions.check(folder, (e.target as HTMLInputElement).checked)}
          @dblclick=${(e: Event) => e.stopPropagation()}
        />
        <button
          class="pin"
          tabindex="-1"
          aria-pressed=${pinned ? 'true' : 'false'}
          aria-label=${pinned ? t('Unpin {0}', name) : t('Pin {0} to the top', name)}
          title=${pinned ? t('Unpin') : t('Pin to the top')}
          @click=${() => this.actions.pin(folder, !pinned)}
          @dblclick=${(e: Event) => e.stopPropagation()}
        >
          ${pinned ? '◆' : '◇'}
        </button>
        ${color === undefined || color >= MOST_CURVES ? nothing : swatch(color)}
      </div>
      ${this.isGrouped ? html`<div role="gridcell" class="cell"></div>` : nothing}
      ${this.shown.map((column, i) => cell(column, valueAt(this.columns, row, places[i]), alarms))}
    </div>`;
  }

  private groupLine(
    { id, group, open, pinned }: Extract<Line, { kind: 'group' }>,
    index: number,
  ): TemplateResult {
    const all = group.rows.length === 1 ? t('1 run') : t('{0} runs', count(group.rows.length));
    const runs = pinned === 0 ? all : t('{0}, {1} pinned', all, count(pinned));
    const value = group.values.map((of, i) => cellText(this.groups[i], of) || t('none')).join(' · ');
    return html`<div
      id=${`line-${index}`}
      class=${`line group${index === this.active ? ' active' : ''}`}
      role="row"
      data-vscode-context=${NO_MENU}
      aria-rowindex=${index + 2}
      aria-level="1"
      aria-expanded=${open ? 'true' : 'false'}
      @click=${() => {
        this.activate(index);
        this.actions.toggle(id);
      }}
    >
      <div role="gridcell" class="cell tools" aria-hidden="true">${open ? '▾' : '▸'}</div>
      <div role="gridcell" class="cell name" title=${`${value}, ${runs}`}>
        ${value} <span class="quiet">${runs}</span>
      </div>
      ${this.shown.map((column) => groupCell(column, group))}
    </div>`;
  }

  private menu({ folder, can }: Row): string {
    const { checked } = this;
    return rowMenu(folder, this.can[can ?? -1] ?? '', checked.size > 1 && checked.has(folder));
  }

  /** The rows around have the checked runs, for the menu of one of them. */
  private selection(): string {
    const line = this.lineAt(this.active);
    const active = line?.kind === 'row' ? this.menu(line.row) : NO_MENU;
    return selectionMenu([...this.checked.keys()], active);
  }

  private onHeaderKey(e: KeyboardEvent, column: Column, i: number): void {
    const width = widthKey(e, this.widthOf(column, i));
    if (width === 'other') return;
    e.preventDefault();
    this.actions.resize(column.key, width);
  }

  private activate(index: number): void {
    this.active = index;
    this.requestUpdate();
  }

  private readonly onKey = (e: KeyboardEvent): void => {
    // Buttons and checkboxes have keys of their own.
    if (e.target !== this.scroller) return;
    const page = Math.max(1, Math.floor(this.height / LINE) - 2);
    const key = gridKey(e, this.active, this.total, page);
    const line = this.lineAt(this.active);
    if (!key || !line) return;
    e.preventDefault();
    if (key.kind === 'move') return this.moveTo(key.to);
    if (line.kind === 'group') {
      const wanted = key.kind === 'expand' ? true : key.kind === 'collapse' ? false : !line.open;
      if (wanted !== line.open && key.kind !== 'pin') this.actions.toggle(line.id);
      return;
    }
    const { folder } = line.row;
    if (key.kind === 'open') this.actions.open(folder);
    if (key.kind === 'check') this.actions.check(folder, !this.checked.has(folder));
    if (key.kind === 'pin') this.actions.pin(folder, this.active >= this.pinned.length);
  };

  private moveTo(index: number): void {
    this.active = index;
    const below = index - this.pinned.length;
    const { scroller } = this;
    const head = this.querySelector<HTMLElement>('.head')!.offsetHeight;
    const room = this.height - head;
    if (below >= 0) {
      if (below * LINE < scroller.scrollTop) scroller.scrollTop = below * LINE;
      else if ((below + 1) * LINE > scroller.scrollTop + room) scroller.scrollTop = (below + 1) * LINE - room;
      this.top = scroller.scrollTop;
    }
    this.requestUpdate();
  }
}
