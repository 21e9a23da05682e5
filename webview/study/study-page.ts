import { html, LitElement, nothing } from 'lit';
import { state } from 'lit/decorators.js';
import type { MetricName } from '../../src/experiment/metrics';
import type { StudyFromHost, StudyFromPage, StudyOpen } from '../../src/study/study-messages';
import { metricTitle } from '../../src/study/metric';
import { missingWords } from '../../src/study/missing-results';
import type { PageStudy } from '../../src/study/page-study';
import { connect, post, savedUi, saveUi } from '../ui/host';
import { t } from '../../src/base/l10n';
import { sectionView } from './study-section';
import { own } from '../../src/base/names';

interface Ui {
  metric: MetricName;
  against: string;
  /** The group whose ΔW is shown, by data set. */
  deltas: Record<string, string>;
}

const say = (message: StudyFromPage): void => post(message);

/** Runs compared as groups: the differences, how certain they are, and the paper's figures. */
export class StudyPage extends LitElement {
  @state() private shown: { title: string; study: PageStudy } | undefined;
  @state() private error: string | undefined;
  @state() private told = '';
  private ui: Partial<Ui> = savedUi<Ui>();

  /** One style sheet for everything. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener('copy-csv', (e) => {
      say({ type: 'copy', text: (e as CustomEvent<string>).detail });
      this.told = t('Copied.');
    });
    connect<StudyOpen, StudyFromHost>(
      () => {
        if (this.ui.metric ?? this.ui.against) this.sendSettings();
      },
      (message) => {
        if (message.type === 'error') this.error = message.message;
        else {
          this.shown = { title: message.title, study: message.study };
          this.error = undefined;
        }
      },
    );
  }

  private sendSettings(): void {
    const { metric, against } = this.ui;
    say({ type: 'settings', settings: { ...(metric && { metric }), ...(against && { against }) } });
  }

  private keep(change: Partial<Ui>): void {
    this.ui = { ...this.ui, ...change };
    saveUi(this.ui);
    if ('metric' in change || 'against' in change) this.sendSettings();
    this.requestUpdate();
  }

  protected override render() {
    const { shown } = this;
    if (!shown)
      return this.error
        ? html`<p class="error" role="alert">${this.error}</p>`
        : html`<p class="note" role="status">${t('Reading the runs…')}</p>`;
    const { title, study } = shown;
    return html`<h1>${title}</h1>
      ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
      ${study.sections.length > 0 ? this.tools(study) : this.nothingYet()} ${this.missing(study)}
      ${study.sections.map((section) =>
        sectionView(study, section, own(this.ui.deltas ?? {}, section.name), {
          delta: ({ name }, label) => this.keep({ deltas: { ...this.ui.deltas, [name]: label } }),
          measure: () => say({ type: 'measure' }),
        }),
      )}
      ${this.leftOut(study)}`;
  }

  private tools({ metric, metrics, sections }: PageStudy) {
    const labels = [
      ...new Set(sections.flatMap((s) => s.groups.filter((g) => g.chosen).map((g) => g.label))),
    ];
    const reference = this.ui.against ?? sections[0].reference;
    const value = (e: Event) => (e.currentTarget as HTMLSelectElement).value;
    return html`<div class="tools">
      <label
        >${t('Metric')}
        <select data-field="metric" @change=${(e: Event) => this.keep({ metric: value(e) as MetricName })}>
          ${metrics.map((m) => html`<option value=${m} ?selected=${m === metric}>${metricTitle(m)}</option>`)}
        </select>
      </label>
      <label
        >${t('Compare with')}
        <select data-field="against" @change=${(e: Event) => this.keep({ against: value(e) })}>
          ${labels.map((l) => html`<option value=${l} ?selected=${l === reference}>${l}</option>`)}
        </select>
      </label>
      <vscode-button data-action="export" @click=${() => say({ type: 'export' })}
        >${t('Export Report')}</vscode-button
      >
      <span role="status">${this.told}</span>
    </div>`;
  }

  private nothingYet() {
    return html`<p class="summary">
      ${t('None of these runs has finished, so there is nothing to compare yet. This page updates when they finish.')}
    </p>`;
  }

  private missing({ missing }: PageStudy) {
    if (missing.length === 0) return nothing;
    return html`<div class="notice" role="status">
      <ul>
        ${missing.map((m) => html`<li>${missingWords(m)}</li>`)}
      </ul>
      <vscode-button data-action="measure" @click=${() => say({ type: 'measure' })}
        >${t('Measure')}</vscode-button
      >
    </div>`;
  }

  private leftOut({ leftOut, sections }: PageStudy) {
    if (leftOut.runs === 0) return nothing;
    return html`<details class="notes" ?open=${sections.length === 0}>
      <summary>${t('Excluded runs: {0}', leftOut.runs)}</summary>
      <ul>
        ${leftOut.words.map((w) => html`<li>${w}</li>`)}
      </ul>
    </details>`;
  }
}
