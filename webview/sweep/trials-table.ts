import { own } from '../../src/base/names';
import { valueText } from '../../src/experiment/sweep';
import type { PageTrial, SweepFacts } from '../../src/protocol/panels/sweep';
import { trainedSeconds, type Sort, type SortKey } from '../../src/study/sweep/trials';
import { csv } from '../../src/base/csv';
import { type Shown, metricText, trialText, trialWord } from './sweep-model';
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { property, state } from 'lit/decorators.js';
import { capital } from '../../src/base/text';
import { durationText } from '../../src/base/number-text';
import { formatMetric, metricInfo } from '../../src/experiment/metrics';
import { t } from '../../src/base/l10n';
import { NO_MENU, rowMenu, selectionMenu, trialMenu } from '../ui/row-menu';
import { PICKED, POINTED } from './parallel-view';

/** The trials with all digits. */
export const trialsCsv = ({ facts }: Shown, trials: readonly PageTrial[]): string =>
  csv([
    [
      'trial',
      'run number',
      ...facts.varied,
      'state',
      facts.metric,
      'loss',
      'step',
      'steps',
      'seconds',
      'run folder',
    ],
    ...trials.map((trial) => [
      trial.number,
      trial.runNumber ?? '',
      ...facts.varied.map((key) => {
        const value = own(trial.settings, key);
        return value === undefined ? '' : typeof value === 'number' ? value : valueText(value);
      }),
      trial.state,
      trial.metric ?? '',
      trial.loss ?? '',
      trial.step,
      trial.steps,
      trainedSeconds(trial),
      trial.run ?? '',
    ]),
  ]);

/** Fired with the new order. */
export const SORTED = 'sorted';
/** Fired with the ids of the selected trials. */
export const SELECTED = 'selected';

/** The height of a row, in pixels; the style sheet has it, too. */
const ROW = 26;
/** Rows drawn beyond those in view. */
const MORE = 12;

interface Column {
  key: SortKey;
  label: string;
  number?: boolean;
  cell(trial: PageTrial): unknown;
}

/** The trials as a table. Only the rows in view are drawn. */
export class TrialsTable extends LitElement {
  @property({ attribute: false }) shown!: Shown;
  /** In their order. */
  @property({ attribute: false }) trials!: readonly PageTrial[];
  @property({ attribute: false }) sort!: Sort;
  @property({ attribute: false }) selected: ReadonlySet<string> = new Set();
  /** The row that keys act on. */
  @property({ attribute: false }) active: string | undefined;
  @state() private first = 0;
  @state() private rows = 30;
  /** The row where a selection with Shift begins. */
  private anchor: string | undefined;
  private readonly sizes = new ResizeObserver(() => this.look());

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override firstUpdated(): void {
    this.sizes.observe(this.box);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.sizes.disconnect();
  }

  private get box(): HTMLElement {
    return this.querySelector('.rows')!;
  }

  private look(): void {
    this.first = Math.floor(this.box.scrollTop / ROW);
    this.rows = Math.ceil(this.box.clientHeight / ROW);
  }

  /** Scrolls to a trial's row. */
  reveal(id: string): void {
    const at = this.trials.findIndex((trial) => trial.id === id);
    if (at < 0) return;
    const { box } = this;
    // Below the header, which stays in view.
    const [top, room] = [at * ROW, box.clientHeight - 2 * ROW];
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top > box.scrollTop + room) box.scrollTop = top - room;
  }

  private get columns(): Column[] {
    const { facts, axes } = this.shown;
    return [
      { key: 'number', label: t('Trial'), number: true, cell: numberText },
      ...axes.map((axis): Column => ({
        key: `setting:${axis.key}`,
        label: axis.label,
        number: axis.kind !== 'category',
        cell: ({ settings }) => axis.text(own(settings, axis.key)),
      })),
      { key: 'state', label: t('State'), cell: (trial) => stateText(trial, facts) },
      {
        key: 'metric',
        label: capital(metricInfo(facts.metric).label),
        number: true,
        cell: (trial) => metricText(facts, trial.metric),
      },
      ...(facts.metric === 'loss'
        ? []
        : [
            {
              key: 'loss',
              label: t('Loss'),
              number: true,
              cell: ({ loss }: PageTrial) => (loss === undefined ? '–' : formatMetric('loss', loss)),
            } as const,
          ]),
      { key: 'progress', label: t('Step'), number: true, cell: stepText },
      {
        key: 'duration',
        label: t('Time'),
        number: true,
        cell: (trial) => (trial.spans.length === 0 ? '–' : durationText(trainedSeconds(trial))),
      },
    ];
  }

  protected override render(): TemplateResult {
    const { trials, columns, active } = this;
    const from = Math.max(0, Math.min(this.first, trials.length - this.rows) - MORE);
    const to = Math.min(trials.length, Math.max(0, this.first) + this.rows + MORE);
    const at = trials.findIndex((trial) => trial.id === active);
    return html`<div class="rows" @scroll=${() => this.look()}>
      <table
        role="grid"
        tabindex="0"
        aria-label=${t('Trials')}
        aria-rowcount=${trials.length + 1}
        aria-multiselectable="true"
        aria-activedescendant=${at >= from && at < to ? `trial-${trials[at].number}` : nothing}
        data-vscode-context=${this.selection(trials[at])}
        @keydown=${(e: KeyboardEvent) => this.onKey(e, at)}
      >
        <thead>
          <tr aria-rowindex="1">
            ${columns.map((column) => this.head(column))}
          </tr>
        </thead>
        <tbody>
          ${spacer(from, columns.length)}
          ${trials.slice(from, to).map((trial, i) => this.row(trial, from + i, columns))}
          ${spacer(trials.length - to, columns.length)}
        </tbody>
      </table>
    </div>`;
  }

  private head({ key, label, number }: Column) {
    const { sort } = this;
    const isSorted = sort.key === key;
    const next: Sort = { key, descending: isSorted ? !sort.descending : false };
    return html`<th
      scope="col"
      class=${number ? 'number' : ''}
      aria-sort=${isSorted ? (sort.descending ? 'descending' : 'ascending') : 'none'}
    >
      <button class="link" data-sort=${key} @click=${() => this.tell(SORTED, next)}>
        ${label}${isSorted ? (sort.descending ? ' ↓' : ' ↑') : ''}
      </button>
    </th>`;
  }

  private row(trial: PageTrial, at: number, columns: readonly Column[]) {
    const isBest = trial === this.shown.best;
    return html`<tr
      id="trial-${trial.number}"
      class="trial-row${trial.id === this.active ? ' active' : ''}${isBest ? ' is-best' : ''}"
      aria-rowindex=${at + 2}
      aria-selected=${this.selected.has(trial.id) ? 'true' : 'false'}
      aria-label=${trialText(this.shown.facts, trial)}
      title=${trial.error ?? trial.cluster ?? trial.alarms ?? nothing}
      data-trial=${trial.number}
      data-vscode-context=${this.menu(trial)}
      @click=${(e: MouseEvent) => this.pick(trial, e)}
      @dblclick=${() => this.tell(PICKED, { id: trial.id, open: true })}
      @pointerenter=${() => this.tell(POINTED, trial.id)}
      @pointerleave=${() => this.tell(POINTED, undefined)}
    >
      ${columns.map(
        ({ key, number, cell }) =>
          html`<td class="${number ? 'number' : ''} ${key === 'state' ? `state-${trial.state}` : ''}">
            ${key === 'number' && isBest ? html`<span title=${t('best')}>★</span> ` : nothing}${cell(trial)}
          </td>`,
      )}
    </tr>`;
  }

  private menu({ id, run, can }: PageTrial): string {
    const { selected } = this;
    if (run === undefined)
      return can.length === 0 ? NO_MENU : trialMenu(this.shown.facts.folder, id, can.join(' '));
    return rowMenu(run, can.join(' '), selected.size > 1 && selected.has(id));
  }

  private selection(active: PageTrial | undefined): string {
    const runs = this.shown.trials.flatMap(({ id, run }) =>
      this.selected.has(id) && run !== undefined ? [run] : [],
    );
    return selectionMenu(runs, active ? this.menu(active) : NO_MENU);
  }

  private tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  /** Ctrl adds or removes one, Shift selects up to it. */
  private pick(trial: PageTrial, e: Pick<MouseEvent, 'ctrlKey' | 'metaKey' | 'shiftKey'>): void {
    const { selected, trials, active } = this;
    if (e.ctrlKey || e.metaKey) {
      const next = new Set(selected);
      if (!next.delete(trial.id)) next.add(trial.id);
      this.tell(SELECTED, next);
    } else if (e.shiftKey) {
      const [a, b] = [trials.findIndex((r) => r.id === (this.anchor ?? active)), trials.indexOf(trial)];
      const range = trials.slice(Math.max(0, Math.min(a, b)), Math.max(a, b) + 1);
      this.tell(SELECTED, new Set(range.map((r) => r.id)));
    } else this.tell(SELECTED, new Set([trial.id]));
    if (!e.shiftKey) this.anchor = trial.id;
    this.tell(PICKED, { id: trial.id, open: false });
  }

  private onKey(e: KeyboardEvent, at: number): void {
    const { trials } = this;
    if (e.target !== e.currentTarget || trials.length === 0) return;
    const page = Math.max(1, this.rows - 2);
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: trials.length - 1,
    };
    if (Object.hasOwn(moves, e.key)) {
      const to = trials[Math.min(trials.length - 1, Math.max(0, moves[e.key]))];
      this.reveal(to.id);
      if (e.ctrlKey || e.metaKey) this.tell(PICKED, { id: to.id, open: false });
      else this.pick(to, e);
    } else if (e.key === 'Enter' && at >= 0) this.tell(PICKED, { id: trials[at].id, open: true });
    else if (e.key === ' ' && at >= 0) this.pick(trials[at], { ...NONE, ctrlKey: true });
    else if (e.key === 'a' && (e.ctrlKey || e.metaKey))
      this.tell(SELECTED, new Set(trials.map((trial) => trial.id)));
    else return;
    e.preventDefault();
  }
}

const stateText = (trial: PageTrial, { state, on }: SweepFacts): string => {
  const word = trialWord(trial.state, state, on !== undefined && trial.cluster !== undefined);
  return [word, trial.alarms, trial.cluster].filter(Boolean).join(' · ');
};

const NONE = { ctrlKey: false, metaKey: false, shiftKey: false };

/** In place of rows that are not in view. */
const spacer = (rows: number, columns: number) =>
  rows > 0
    ? html`<tr class="spacer" role="presentation">
        <td role="presentation" colspan=${columns} height=${rows * ROW}></td>
      </tr>`
    : nothing;

/** Its run's number, once there is one. */
const numberText = ({ number, runNumber }: PageTrial): string =>
  runNumber === undefined ? t('Trial {0}', number) : `#${runNumber}`;

const stepText = ({ run, step, steps }: PageTrial): string =>
  run === undefined ? '–' : steps > 0 ? `${step} / ${steps}` : String(step);
