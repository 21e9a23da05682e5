import { html, LitElement, nothing, type TemplateResult } from 'lit';
import type { MetricName } from '../../src/experiment/metrics';
import { count } from '../../src/base/number-text';
import { rowsCsv } from '../../src/study/runs-table/runs-csv';
import { columnTitle } from '../../src/study/runs-table/runs-columns';
import type {
  RunsOpen,
  RunsFromHost,
  RunsFromPage,
  TableAction,
} from '../../src/study/runs-table/runs-messages';
import { type TableView, keptOf, type SavedView } from '../../src/study/runs-table/saved-views';
import { NEWEST, startsDescending, type Column } from '../../src/study/runs-table/table';
import { connect, post, savedUi, saveUi } from '../ui/host';
import { t } from '../../src/base/l10n';
import { columnsMenu, type ViewsActions } from './table-menus';
import type { GridActions } from './runs-grid';
import { TableModel, MOST_CURVES, Overlay } from './runs-model';

interface Ui {
  /** Folders of the checked runs. */
  checked: string[];
  metric: MetricName;
}

/** Arranging ten thousand rows takes longer than a frame: running runs change often, and many arrive at once. */
const ARRANGE_MS = 200;
/** A keystroke in the filter. */
const TYPING_MS = 120;

const say = (message: RunsFromPage): void => post(message);

/** The Runs table. */
export class RunsPage extends LitElement {
  private readonly model = new TableModel();
  private readonly overlay = new Overlay();
  private ui: Partial<Ui> = savedUi<Ui>();
  private view: TableView = {};
  private saved: readonly SavedView[] = [];
  private heading = '';
  private known = false;
  private reading = true;
  private told = '';
  private timer = 0;
  private typing = 0;

  /** One style sheet for everything. */
  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.overlay.set(this.ui.checked ?? []);
    connect<RunsOpen, RunsFromHost>(
      () => this.overlaid(),
      (message) => this.receive(message),
    );
  }

  private receive(message: RunsFromHost): void {
    switch (message.type) {
      case 'table':
        this.heading = message.title;
        if (message.view) this.view = message.view;
        this.model.reset(message.columns);
        this.reading = true;
        this.known = true;
        return this.arrangeSoon(0);
      case 'rows':
        this.model.take(message.rows, message.gone, message.reading);
        this.model.can = message.can;
        this.reading = message.reading;
        if (message.gone.length > 0)
          this.check(this.overlay.folders.filter((f) => !message.gone.includes(f)));
        return this.arrangeSoon(message.reading ? ARRANGE_MS : 0);
      case 'curves': {
        if (message.curves.type !== 'snapshot' && message.curves.type !== 'append') return;
        for (const run of this.overlay.take(message.curves)) say({ type: 'curves', run });
        return this.requestUpdate();
      }
      case 'views':
        this.saved = message.views;
        return this.requestUpdate();
      case 'saved':
        this.told = t('Exported {0} rows.', count(message.rows));
        return this.requestUpdate();
    }
  }

  /** At once the first time, then no more often than it takes to look. */
  private arrangeSoon(after: number): void {
    if (this.model.lines.length === 0 || after === 0) return this.arrange();
    this.timer ||= window.setTimeout(() => this.arrange(), after);
  }

  private arrange(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    this.model.arrange(this.view);
    this.requestUpdate();
  }

  private change(view: Partial<TableView>): void {
    this.view = { ...this.view, ...view };
    say({ type: 'view', view: this.view });
    this.arrange();
  }

  private readonly filter = (e: Event): void => {
    const filter = (e.target as HTMLInputElement).value;
    clearTimeout(this.typing);
    this.typing = window.setTimeout(() => this.change({ filter }), TYPING_MS);
  };

  private keep(ui: Partial<Ui>): void {
    this.ui = { ...this.ui, ...ui };
    saveUi(this.ui);
    this.requestUpdate();
  }

  private check(folders: readonly string[]): void {
    if (folders.join('\n') === this.overlay.folders.join('\n')) return;
    this.overlay.set(folders);
    this.overlaid();
    this.keep({ checked: [...folders] });
  }

  private overlaid(): void {
    say({ type: 'overlay', runs: this.overlay.drawn.map((run) => run.folder) });
  }

  private readonly grid: GridActions = {
    sort: (column) => {
      const sort = this.view.sort ?? NEWEST;
      const descending = sort.key === column.key ? !sort.descending : startsDescending(column);
      this.change({ sort: { key: column.key, descending } });
    },
    check: (folder, on) => {
      const others = this.overlay.folders.filter((f) => f !== folder);
      this.check(on ? [...others, folder] : others);
    },
    pin: (folder, on) => {
      const others = (this.view.pinned ?? []).filter((f) => f !== folder);
      this.change({ pinned: on ? [...others, folder] : others });
    },
    open: (run) => say({ type: 'open', run }),
    resize: (key, width) => {
      const widths = { ...this.view.widths };
      if (width === undefined) delete widths[key];
      else widths[key] = width;
      this.view = { ...this.view, widths };
      say({ type: 'view', view: this.view });
      this.requestUpdate();
    },
    toggle: (group) => {
      const { closed } = this.model;
      if (!closed.delete(group)) closed.add(group);
      this.arrange();
    },
  };

  private readonly views: ViewsActions = {
    choose: ({ name, view }) => {
      clearTimeout(this.typing);
      const { columns, sort, filter, group } = keptOf(view);
      this.change({ columns, sort, filter, group, saved: name });
    },
    change: say,
  };

  private readonly curves = {
    choose: (metric: MetricName) => this.keep({ metric }),
    hide: (folder: string) => this.grid.check(folder, false),
    save: say,
  };

  protected override render(): unknown {
    if (!this.known) return html`<p class="note" role="status">${t('Reading the runs…')}</p>`;
    const { model, view, overlay } = this;
    const shown = model.shown(view);
    const by = model.groupedBy(view);
    const runs = overlay.drawn;
    return html`<header>
        <h1>${this.heading}</h1>
        ${this.tools(shown)} ${this.problem()}
        <p class="quiet status" role="status">
          ${[this.counted(), this.told].filter((part) => part !== '').join(' · ')}
        </p>
        ${this.selection()}
      </header>
      <div class=${runs.length > 0 ? 'content split' : 'content'}>
        <aurora-runs-grid
          .columns=${model.columns}
          .shown=${shown.filter((c) => !by.includes(c))}
          .pinned=${model.pinned}
          .lines=${model.lines}
          .sort=${view.sort ?? NEWEST}
          .groups=${by}
          .checked=${overlay.colors}
          .can=${model.can}
          .chosen=${view.widths ?? NO_WIDTHS}
          .actions=${this.grid}
        ></aurora-runs-grid>
        ${
          runs.length > 0
            ? html`<aurora-run-curves
                .runs=${runs}
                .metric=${this.ui.metric}
                .version=${overlay.version}
                .tooMany=${Math.max(0, overlay.folders.length - MOST_CURVES)}
                .actions=${this.curves}
              ></aurora-run-curves>`
            : nothing
        }
      </div>`;
  }

  private tools(shown: readonly Column[]): TemplateResult {
    const { model, view } = this;
    const choices = model.columns.filter(
      (c) => (c.kind === 'setting' && c.same === undefined) || GROUPED_BY.has(c.key),
    );
    return html`<div class="tools">
      <label class="filter"
        >${t('Filter')}
        <input
          type="search"
          data-field="filter"
          spellcheck="false"
          autocomplete="off"
          placeholder=${t('accuracy > 0.9 and rank = 2')}
          .value=${view.filter ?? ''}
          aria-invalid=${model.problem ? 'true' : 'false'}
          aria-describedby=${model.problem ? 'problem' : nothing}
          @input=${this.filter}
        />
      </label>
      ${this.groupChoice(0, choices)} ${view.group ? this.groupChoice(1, choices) : nothing}
      ${columnsMenu(model.columns, shown, {
        choose: (columns) => this.change({ columns }),
        reset: () => this.change({ columns: undefined }),
      })}
      <aurora-runs-views .views=${this.saved} .view=${view} .actions=${this.views}></aurora-runs-views>
      <vscode-button
        appearance="secondary"
        data-action="csv"
        ?disabled=${model.matching.length === 0}
        @click=${() => this.export(shown)}
        >${t('Export CSV')}</vscode-button
      >
    </div>`;
  }

  /** A list of the columns to group by first, or within the first. */
  private groupChoice(place: 0 | 1, choices: readonly Column[]): TemplateResult {
    const { group = [] } = this.view;
    const [first, second] = group;
    const choose = (e: Event) => {
      const key = (e.target as HTMLSelectElement).value;
      const keys = place === 0 ? [key, second === key ? '' : (second ?? '')] : [first, key];
      this.change({ group: keys[0] === '' ? undefined : keys.filter((k) => k !== '') });
    };
    return html`<label
      >${place === 0 ? t('Group by') : t('and by')}
      <select data-field=${place === 0 ? 'group' : 'group2'} @change=${choose}>
        <option value="" ?selected=${group[place] === undefined}>${t('nothing')}</option>
        ${choices
          .filter((c) => place === 0 || c.key !== first)
          .map(
            (c) =>
              html`<option value=${c.key} ?selected=${c.key === group[place]}>${columnTitle(c)}</option>`,
          )}
      </select>
    </label>`;
  }

  private problem(): unknown {
    const { problem } = this.model;
    // Its column may come with the next rows.
    if (!problem || this.reading) return nothing;
    const text = this.view.filter ?? '';
    const { at, length, message } = problem;
    return html`<p id="problem" class="problem" role="alert">
      ${message}
      <code
        >${text.slice(0, at)}<mark>${text.slice(at, at + length) || '▸'}</mark>${text.slice(at + length)}</code
      >
    </p>`;
  }

  private counted(): string {
    const { rows, matching } = this.model;
    if (this.reading) return t('{0} runs read…', count(rows.size));
    if (rows.size === 0) return t('No runs yet. Runs appear here when they start.');
    return matching.length === rows.size
      ? rows.size === 1
        ? t('1 run')
        : t('{0} runs', count(rows.size))
      : t('{0} of {1} runs', count(matching.length), count(rows.size));
  }

  /** The actions for the checked runs. */
  private selection(): unknown {
    const { folders } = this.overlay;
    if (folders.length === 0) return nothing;
    const button = (action: TableAction, label: string, least = 1) =>
      html`<vscode-button
        appearance="secondary"
        data-action=${action}
        ?disabled=${folders.length < least}
        @click=${() => say({ type: 'action', action, runs: [...folders] })}
        >${label}</vscode-button
      >`;
    return html`<div class="selection" role="group" aria-label=${t('Checked runs')}>
      <span>${this.checkedText(folders)}</span>
      ${button('compare', t('Compare'), 2)} ${button('study', t('Open Study'), 2)}
      ${button('export', folders.length === 1 ? t('Export Adapter') : t('Export Adapters'))}
      ${button('combine', t('Combine Adapters'), 2)} ${button('delete', t('Delete'))}
      <button class="link" data-action="clear" @click=${() => this.check([])}>${t('Uncheck All')}</button>
    </div>`;
  }

  /** Counts the rows that a button acts on, and those of them that the filter hides. */
  private checkedText(folders: readonly string[]): string {
    const { matching, pinned } = this.model;
    const shown = new Set([...matching, ...pinned].map(({ folder }) => folder));
    const hidden = folders.filter((folder) => !shown.has(folder)).length;
    const checked = folders.length === 1 ? t('1 run checked') : t('{0} runs checked', count(folders.length));
    return hidden === 0 ? checked : t('{0}, {1} hidden by the filter', checked, count(hidden));
  }

  /** The rows as shown: pinned ones first, without groups. */
  private export(shown: readonly Column[]): void {
    const { columns, pinned, matching } = this.model;
    const rows = [...pinned, ...matching.filter((row) => !pinned.includes(row))];
    this.told = '';
    const text = rowsCsv(
      columns,
      shown.map((c) => c.key),
      rows,
    );
    say({ type: 'csv', text, rows: rows.length });
  }
}

const NO_WIDTHS: Readonly<Record<string, number>> = {};

/** The columns by which runs can be grouped: those that are not settings, and in which many runs are the same. */
const GROUPED_BY = new Set(['state', 'experiment', 'device', 'engine', 'star']);
