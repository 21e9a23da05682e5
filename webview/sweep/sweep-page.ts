import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { state } from 'lit/decorators.js';
import type { PageTrial, SweepFromPage, SweepOpen, SweepToPage } from '../../src/protocol/panels/sweep';
import type { SaveChart } from '../../src/protocol/panels/save-chart';
import type { Figure } from '../../src/study/figures/figure';
import { bestFigure } from '../../src/study/sweep/sweep-figures';
import { sortTrials, type Sort } from '../../src/study/sweep/trials';
import { within, type Brushes } from '../../src/study/sweep/parallel';
import { connect, post, savedUi, saveUi } from '../ui/host';
import { csv } from '../../src/base/csv';
import { t } from '../../src/base/l10n';
import { rangeText, BRUSHED, PICKED, POINTED } from './parallel-view';
import { parallelFigure, SAVE, saveButtons } from './save-figures';
import { header, legend } from './sweep-header';
import { HEAT_CHOSEN, type HeatUi } from './heat-view';
import { receive, type Shown, trialText } from './sweep-model';
import { trialsCsv, SELECTED, SORTED, type TrialsTable } from './trials-table';

interface Ui {
  brushes: Brushes;
  sort: Sort;
  heat: HeatUi;
  by: 'time' | 'number';
}

/** Curves that can still be told apart. */
const MOST_COMPARED = 20;

const say = (message: SweepFromPage): void => post(message);

/** A sweep: how far it is, its trials as a table, and which settings work. */
export class SweepPage extends LitElement {
  @state() private shown: Shown | undefined;
  @state() private error: string | undefined;
  /** The trial under the pointer. */
  @state() private pointed: string | undefined;
  /** The row that was picked last. */
  @state() private active: string | undefined;
  @state() private selected: ReadonlySet<string> = new Set();
  private ui: Partial<Ui> = savedUi<Ui>();

  /** One style sheet for everything. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    connect<SweepOpen, SweepToPage>(
      () => this.requestUpdate(),
      (message) => {
        if (message.type === 'error') this.error = message.message;
        else {
          this.error = undefined;
          this.shown = receive(this.shown, message) ?? this.shown;
        }
      },
    );
    const on = <T>(name: string, use: (detail: T) => void) =>
      this.addEventListener(name, (e) => use((e as CustomEvent<T>).detail));
    on<Brushes>(BRUSHED, (brushes) => this.keep({ brushes }));
    on<Sort>(SORTED, (sort) => this.keep({ sort }));
    on<HeatUi>(HEAT_CHOSEN, (heat) => this.keep({ heat }));
    on<string | undefined>(POINTED, (id) => (this.pointed = id));
    on<ReadonlySet<string>>(SELECTED, (ids) => (this.selected = ids));
    on<{ id: string; open: boolean }>(PICKED, (picked) => this.pick(picked));
    on<SaveChart>(SAVE, say);
    // Comes from the table of values below a figure.
    on<string>('copy-csv', (text) => say({ type: 'copy', text }));
  }

  private keep(change: Partial<Ui>): void {
    this.ui = { ...this.ui, ...change };
    saveUi(this.ui);
    this.requestUpdate();
  }

  private trial(id: string | undefined): PageTrial | undefined {
    return this.shown?.trials.find((trial) => trial.id === id);
  }

  private pick({ id, open }: { id: string; open: boolean }): void {
    const run = this.trial(id)?.run;
    if (open) {
      if (run !== undefined) say({ type: 'open', run });
      return;
    }
    this.active = id;
    this.querySelector<TrialsTable>('aurora-trials')?.reveal(id);
  }

  protected override render(): TemplateResult {
    const { shown, error } = this;
    const problem = error === undefined ? nothing : html`<p class="error" role="alert">${error}</p>`;
    if (!shown)
      return html`${problem}${error === undefined ? html`<p class="note" role="status">${t('Reading the sweep…')}</p>` : nothing}`;
    const brushes = this.ui.brushes ?? {};
    const kept = within(shown.trials, shown.all, brushes);
    return html`${problem}
    ${header(shown, { act: (action) => say({ type: 'action', action }), open: (run) => say({ type: 'open', run }) })}
    ${
      shown.trials.length === 0
        ? nothing
        : html`${this.parallel(shown, kept, brushes)} ${this.table(shown, kept)}
            <div class="figures">
              <section class="figure">
                <aurora-heat .shown=${shown} .ui=${this.ui.heat ?? {}}></aurora-heat>
              </section>
              ${this.best(shown)}
            </div>`
    }`;
  }

  private parallel(shown: Shown, kept: readonly PageTrial[], brushes: Brushes): TemplateResult {
    const marked = this.trial(this.pointed) ?? this.trial(this.active);
    const ranges = shown.all.flatMap((axis) =>
      Object.hasOwn(brushes, axis.key) ? [`${axis.label} ${rangeText(axis, brushes[axis.key])}`] : [],
    );
    return html`<section aria-labelledby="parallel-heading">
      <div class="heading">
        <h2 id="parallel-heading">${t('Settings and results')}</h2>
        ${legend(shown)}
        ${saveButtons({
          chart: 'parallel-coordinates',
          heading: t('Settings and results'),
          figure: () => parallelFigure(shown, kept),
          csv: () => trialsCsv(shown, kept),
        })}
      </div>
      <aurora-parallel .shown=${shown} .kept=${kept} .brushes=${brushes} .marked=${marked}></aurora-parallel>
      <p class="readout">
        ${marked ? trialText(shown.facts, marked) : t('Drag along an axis to show only the trials in a range.')}
      </p>
      <p class="filter" role="status">
        ${
          ranges.length === 0
            ? nothing
            : html`${t('{0} of {1} trials: {2}', kept.length, shown.trials.length, ranges.join(' · '))}
                <button class="link" data-action="clear" @click=${() => this.keep({ brushes: {} })}>
                  ${t('Show All')}
                </button>`
        }
      </p>
    </section>`;
  }

  private table(shown: Shown, kept: readonly PageTrial[]): TemplateResult {
    const sort = this.ui.sort ?? { key: 'number', descending: false };
    const trials = sortTrials(kept, sort, shown.axes);
    const runs = trials.flatMap(({ id, run }) => (this.selected.has(id) && run !== undefined ? [run] : []));
    return html`<section aria-labelledby="trials-heading">
      <div class="heading">
        <h2 id="trials-heading">${t('Trials')}</h2>
        <vscode-button
          appearance="secondary"
          data-action="compare"
          ?disabled=${runs.length < 2 || runs.length > MOST_COMPARED}
          title=${t('Select 2 to {0} trials to overlay their curves.', MOST_COMPARED)}
          @click=${() => say({ type: 'compare', runs })}
          >${t('Compare Selected')}</vscode-button
        >
        ${saveButtons({ chart: 'trials', heading: t('Trials'), csv: () => trialsCsv(shown, trials) })}
      </div>
      <aurora-trials
        .shown=${shown}
        .trials=${trials}
        .sort=${sort}
        .selected=${this.selected}
        .active=${this.active ?? trials.at(0)?.id}
      ></aurora-trials>
    </section>`;
  }

  private best({ facts, trials }: Shown): TemplateResult {
    const by = this.ui.by ?? 'time';
    const { metric } = facts;
    const draw = (width: number): Figure | undefined => bestFigure(trials, width, { metric, by });
    const isEmpty = draw(640) === undefined;
    const numbers = () => {
      const { head, rows } = draw(640)!.table;
      return csv([head, ...rows]);
    };
    return html`<section class="figure">
      <div class="heading">
        <h2>${t('Best result so far')}</h2>
        <label
          >${t('By')}
          <select
            data-field="best-by"
            @change=${(e: Event) => this.keep({ by: (e.currentTarget as HTMLSelectElement).value as Ui['by'] })}
          >
            <option value="time" ?selected=${by === 'time'}>${t('training time')}</option>
            <option value="number" ?selected=${by === 'number'}>${t('order of trials')}</option>
          </select></label
        >
        ${
          isEmpty
            ? nothing
            : saveButtons({
                chart: 'best-so-far',
                heading: t('Best result so far'),
                figure: () => draw(640),
                csv: numbers,
              })
        }
      </div>
      ${
        isEmpty
          ? html`<p class="note">${t('No trial has been evaluated yet.')}</p>`
          : html`<aurora-study-figure data-figure="best" .draw=${draw}></aurora-study-figure>`
      }
    </section>`;
  }
}
