import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { property, state } from 'lit/decorators.js';
import type { Budget } from '../../src/protocol/budget';
import { leftOutText } from '../../src/protocol/left-out';
import type {
  BudgetAnswer,
  BudgetFields,
  BudgetFromPage,
  BudgetOpen,
  BudgetSetup,
  BudgetStep,
  BudgetToPage,
} from '../../src/protocol/panels/budget';
import { connect, post, savedUi, saveUi } from '../ui/host';
import { t } from '../../src/base/l10n';
import { BudgetChart } from './parameter-chart';
import { controls, writeSection } from './budget-form';
import { comparison, headline, explanation, moduleTable } from './budget-results';
import { paperSection } from './paper-report';
import { stepSection } from './step-cost';

/** Delay after typing before the budget is computed; an answer takes a few milliseconds. */
const ASK_AFTER_MS = 60;

interface Ui {
  /** The controls, and the experiment's values from which they were changed. */
  fields: BudgetFields;
  from: string;
  recipe: string | undefined;
  logScale: boolean;
  explained: boolean;
  /** The batch of an estimate. */
  size: Size;
}

interface Size {
  batch: string;
  /** Undefined as long as the model's usual length serves. */
  length?: string;
}

/** A drop-down of the toolkit. */
type List = HTMLSelectElement & { open: boolean };

customElements.define('aurora-budget-chart', BudgetChart);

/** The page: input on one side, its cost on the other. The host computes. */
export class BudgetPage extends LitElement {
  @state() private setup: BudgetSetup | undefined;
  @state() private fields: BudgetFields | undefined;
  /** Id of the chosen recipe from the paper; its rows are marked. */
  @state() private recipe = savedUi<Ui>().recipe;
  @state() private answer: BudgetAnswer | undefined;
  /** The last valid one: an error in a field does not empty the page. */
  @state() private budget: Budget | undefined;
  @state() private reading: string | undefined;
  @state() private written: { ok: boolean; message: string } | undefined;
  @state() private copied = '';
  @state() private size: Size = savedUi<Ui>().size ?? { batch: '8' };
  @state() private step: BudgetStep | undefined;
  @state() private estimating = false;
  @property({ attribute: false }) logScale = savedUi<Ui>().logScale ?? true;
  @property({ attribute: false }) explained = savedUi<Ui>().explained ?? false;
  private seq = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** One style sheet for everything. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    connect<BudgetOpen, BudgetToPage>(
      () => this.requestUpdate(),
      (message) => this.receive(message),
    );
  }

  /** The toolkit's drop-downs accept a value only once they know their options. In an open one, the user is still choosing. */
  protected override updated(): void {
    requestAnimationFrame(() => {
      for (const list of this.querySelectorAll<List>('vscode-dropdown[data-value]'))
        if (!list.open && list.value !== list.dataset.value) list.value = list.dataset.value!;
    });
  }

  private receive(message: BudgetToPage): void {
    switch (message.type) {
      case 'setup': {
        const { fields, from } = savedUi<Ui>();
        this.setup = message;
        // After a window reload, the input is restored unless the experiment has changed.
        const kept = fields && from === JSON.stringify(message.fields);
        this.fields = kept && message.models.some((m) => m.id === fields.model) ? fields : message.fields;
        return this.ask();
      }
      case 'reading':
        this.reading = message.label;
        return;
      case 'answer':
        // A newer request is in progress.
        if (message.seq !== this.seq) return;
        this.reading = undefined;
        this.answer = message;
        this.budget = message.budget ?? (message.model.state === 'ready' ? this.budget : undefined);
        return;
      case 'step':
        if (message.seq !== this.seq) return;
        this.estimating = false;
        this.step = message;
        return;
      case 'written':
        this.written = message;
        return;
    }
  }

  private ask(): void {
    this.save();
    post<BudgetFromPage>({ type: 'compute', seq: ++this.seq, fields: this.fields! });
  }

  private save(): void {
    const from = JSON.stringify(this.setup?.fields);
    const { fields, recipe, logScale, explained, size } = this;
    saveUi({ fields, from, recipe, logScale, explained, size });
  }

  private change(over: Partial<BudgetFields>): void {
    this.fields = { ...this.fields!, ...over };
    this.written = undefined;
    this.copied = '';
    this.forgetStep();
    // Answers to older requests are ignored.
    this.seq++;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), ASK_AFTER_MS);
  }

  /** An estimate is for the settings that it was asked for. */
  private forgetStep(): void {
    this.step = undefined;
    this.estimating = false;
  }

  private estimate(batch: number, length: number): void {
    this.forgetStep();
    this.estimating = true;
    post<BudgetFromPage>({ type: 'estimate', seq: this.seq, fields: this.fields!, batch, length });
  }

  private stepOf(model: string): TemplateResult | typeof nothing {
    if (this.setup?.models.find((m) => m.id === model)?.kind === 'paper') return nothing;
    const usual = this.answer?.model.state === 'ready' ? this.answer.model.length : undefined;
    return stepSection({
      batch: this.size.batch,
      length: usual === undefined ? undefined : (this.size.length ?? String(usual)),
      step: this.step,
      estimating: this.estimating,
      change: (over) => {
        this.size = { ...this.size, ...over };
        this.forgetStep();
        this.save();
      },
      estimate: (batch, length) => this.estimate(batch, length),
    });
  }

  private copy(what: 'modules' | 'curves' | 'summary', text: string): void {
    post<BudgetFromPage>({ type: 'copy', what, text });
    this.copied = t('Copied as CSV.');
  }

  protected override render(): TemplateResult {
    const { setup, fields, answer } = this;
    if (!setup || !fields) return html`<p role="status">${t('Opening the calculator…')}</p>`;
    const { experiment } = setup;
    return html`
      <h1>${experiment ? t('Budget of {0}', experiment.name) : t('Budget calculator')}</h1>
      <p class="lead">
        ${t('The exact cost of an adapter before you train it, counted by the code that trains it.')}
      </p>
      ${(experiment?.problems ?? []).map((problem) => html`<p class="note">${problem}</p>`)}
      <main>
        <section class="controls" aria-label=${t('Settings')}>
          ${controls({
            models: setup.models,
            fields,
            model: answer?.model,
            problems: answer?.problems ?? [],
            others: experiment?.others ?? [],
            recipe: this.recipe,
            change: (over) => this.change(over),
            chooseRecipe: (recipe, over) => {
              this.recipe = recipe?.id;
              this.change(over);
            },
          })}
          ${
            experiment && answer
              ? writeSection({
                  name: experiment.name,
                  answer,
                  written: this.written,
                  write: () => post<BudgetFromPage>({ type: 'write', fields }),
                  openFile: () => post<BudgetFromPage>({ type: 'openFile' }),
                })
              : nothing
          }
        </section>
        <div class="results">${this.results(fields)}</div>
      </main>
      <p class="visually-hidden" role="status">${this.spoken()}</p>
    `;
  }

  private results(fields: BudgetFields): TemplateResult {
    const { answer, budget, reading } = this;
    const failed = answer?.model.state === 'failed' ? answer.model : undefined;
    const paper = answer?.model.state === 'ready' ? answer.model.paper : undefined;
    if (reading !== undefined) return html`<p class="reading">${t('Reading the model {0}…', reading)}</p>`;
    if (failed)
      return html`<div class="problem large">
        <p>${failed.message}</p>
        ${failed.hint ? html`<p>${failed.hint}</p>` : nothing}
      </div>`;
    if (!budget)
      return html`<p class="reading">
        ${answer?.problems.length ? t('Fix the marked settings to see a budget.') : t('Calculating…')}
      </p>`;
    const stale = (answer?.problems.length ?? 0) > 0;
    return html`
      ${stale ? html`<p class="note">${t('The last valid settings are shown.')}</p>` : nothing}
      ${budget.warnings.map((warning) => html`<p class="note">${warning}</p>`)}
      ${
        budget.leftOut.length > 0
          ? html`<p class="note">${t('Excluded: {0}', leftOutText(budget.leftOut))}</p>`
          : nothing
      }
      ${headline(budget)}
      <div class="costs">
        ${comparison(budget, (text) => this.copy('summary', text))}
        ${explanation(budget, fields, this.explained, (open) => {
          this.explained = open;
          this.save();
        })}
      </div>
      ${stale ? nothing : this.stepOf(fields.model)} ${paper ? paperSection(paper, this.recipe) : nothing}
      <aurora-budget-chart
        .budget=${budget}
        .logScale=${this.logScale}
        @scale=${(e: CustomEvent<boolean>) => {
          this.logScale = e.detail;
          this.save();
        }}
        @copy-csv=${(e: CustomEvent<string>) => this.copy('curves', e.detail)}
      ></aurora-budget-chart>
      ${moduleTable(budget, (text) => this.copy('modules', text))}
    `;
  }

  /** The screen reader announcement after a change. */
  private spoken(): string {
    const { answer, budget, reading, written, copied } = this;
    if (reading !== undefined) return t('Reading the model {0}…', reading);
    if (written) return written.message;
    if (copied) return copied;
    if (answer?.problems.length) return answer.problems.map((p) => p.message).join(' ');
    return budget
      ? t('{0} trainable parameters in {1} modules.', budget.adapter.parameters, budget.modules.length)
      : '';
  }
}
