import { html, LitElement, nothing } from 'lit';
import { state } from 'lit/decorators.js';
import { chosen, type Choice, type List, type Order } from '../../src/protocol/errors-view/choice';
import type { ErrorsFromHost, ErrorsFromPage, ErrorsOpen } from '../../src/protocol/panels/errors';
import { connect, post, savedUi, saveUi } from '../ui/host';
import { t } from '../ui/l10n';
import { examplesCsv } from './examples-csv';
import { count } from './format';
import { examplesList, PAGE, type Chip } from './list';
import { matrix } from './matrix';
import type { Cell } from './matrix-keys';
import { modelOf, type Model } from './model';
import { binName, labelTable, lengthTable } from './slices';
import { summary } from './summary';

interface Ui {
  list: List;
  order: Order;
  label: number;
  predicted: number;
  /** An index into the length bins. */
  bin: number;
  search: string;
  page: number;
  allLabels: boolean;
}

/** The default order of each list. */
const ORDER: Record<List, Order> = { wrong: 'loss', unsure: 'margin', text: 'loss' };

const say = (message: ErrorsFromPage): void => post(message);

/** What a checkpoint gets wrong: confused labels, slices, and the examples behind each number. */
export class ErrorsApp extends LitElement {
  @state() private model: Model | undefined;
  @state() private outdated: 'run' | 'data' | undefined;
  @state() private error: { message: string; again: boolean } | undefined;
  @state() private copied = '';
  /** The cell in the tab order. */
  @state() private cell: Cell = { row: 0, column: 0 };
  private ui: Partial<Ui> = savedUi<Ui>();
  /** Where the last filter was chosen. */
  private origin: HTMLElement | undefined;
  private found: { key: string; model: Model; examples: number[] } | undefined;

  /** One style sheet for everything. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    connect<ErrorsOpen, ErrorsFromHost>(
      () => this.requestUpdate(),
      (message) => this.receive(message),
    );
  }

  private receive(message: ErrorsFromHost): void {
    if (message.type === 'predictions') {
      this.model = modelOf(message);
      this.outdated = this.error = undefined;
    } else if (message.type === 'outdated') this.outdated = message.because;
    else this.error = message;
  }

  private keep(change: Partial<Ui>): void {
    this.ui = { ...this.ui, ...change };
    this.copied = '';
    saveUi(this.ui);
    this.requestUpdate();
  }

  /** A new filter starts on the first page. */
  private choose(change: Partial<Ui>): void {
    this.keep({ page: 0, ...change });
  }

  /** Like `choose`, but from above the list, which is then scrolled into view. */
  private filter(change: Partial<Ui>): void {
    const active = document.activeElement;
    this.origin = active instanceof HTMLElement && active !== document.body ? active : undefined;
    this.choose(change);
    this.showList();
  }

  private showList(): void {
    void this.updateComplete.then(() => {
      const heading = this.querySelector<HTMLElement>('#list-title');
      heading?.focus({ preventScroll: true });
      heading?.scrollIntoView({ block: 'start' });
    });
  }

  /** A correct cell has no wrong examples. */
  private filterCell({ confusion }: Model, label: number, predicted: number): void {
    if (confusion.counts[label * confusion.labels + predicted] === 0) return;
    const list = this.list();
    const shown = label === predicted && list === 'wrong' ? 'unsure' : list;
    this.filter({ label, predicted, list: shown, ...(shown !== list && { order: undefined }) });
  }

  private move(cell: Cell): void {
    this.cell = cell;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>('.matrix td[tabindex="0"]')?.focus());
  }

  private list(): List {
    const { right, examples } = this.model!;
    return this.ui.list ?? (right < examples ? 'wrong' : 'unsure');
  }

  private choice({ bins }: Model): Choice {
    const { label, predicted, bin, search, order } = this.ui;
    const list = this.list();
    return {
      list,
      order: order ?? ORDER[list],
      label,
      predicted,
      bin: bin === undefined ? undefined : bins[bin],
      search,
    };
  }

  /** Examines every example, so only when the filter changes. */
  private examples(model: Model, choice: Choice): number[] {
    const key = JSON.stringify(choice);
    if (this.found?.key !== key || this.found.model !== model)
      this.found = { key, model, examples: chosen(model.columns, model.texts, choice) };
    return this.found.examples;
  }

  private chips({ labels, bins }: Model): Chip[] {
    const { label, predicted, bin } = this.ui;
    const chip = (text: string, change: Partial<Ui>): Chip => ({
      text,
      remove: () => {
        this.choose(change);
        // The chip is gone; the focus must not be lost with it.
        void this.updateComplete.then(() =>
          this.querySelector<HTMLElement>('.chip, #list-title')?.focus({ preventScroll: true }),
        );
      },
    });
    return [
      ...(label === undefined ? [] : [chip(t('True label: {0}', labels[label]), { label: undefined })]),
      ...(predicted === undefined
        ? []
        : [chip(t('Predicted: {0}', labels[predicted]), { predicted: undefined })]),
      ...(bin === undefined || !bins[bin] ? [] : [chip(binName(bins[bin]), { bin: undefined })]),
    ];
  }

  private copy(model: Model, examples: readonly number[]): void {
    say({ type: 'copy', text: examplesCsv(model, examples) });
    this.copied = t('Copied {0} rows.', count(examples.length));
  }

  protected override render() {
    const { model } = this;
    if (!model && this.error) return this.problem(this.error);
    if (!model) return html`<p class="note" role="status">${t('Reading the predictions …')}</p>`;
    const { label, predicted, bin, allLabels = false } = this.ui;
    const places = [model.experiment, t('step {0}', count(model.step)), ...form(model), model.file];
    return html`<h1>${t('Errors of {0}', model.run)}</h1>
      <p class="note">${places.join(' · ')}</p>
      ${inputsWarning(model)} ${this.error ? this.problem(this.error) : nothing} ${this.notice()}
      ${summary(model, (l, p) => this.filterCell(model, l, p))}
      <div class="overview">
        ${matrix(
          model,
          this.cell,
          { label, predicted },
          {
            move: (cell) => this.move(cell),
            choose: (l, p) => this.filterCell(model, l, p),
          },
        )}
        <div class="beside">
          ${labelTable(model, predicted === undefined ? label : undefined, allLabels, {
            choose: (l) =>
              l === label && predicted === undefined
                ? this.choose({ label: undefined })
                : this.filter({ label: l, predicted: undefined }),
            showAll: (all) => this.keep({ allLabels: all }),
          })}
          ${lengthTable(model, bin, (b) =>
            b === bin ? this.choose({ bin: undefined }) : this.filter({ bin: b }),
          )}
        </div>
      </div>
      ${this.examplesPart(model)}`;
  }

  private examplesPart(model: Model) {
    const choice = this.choice(model);
    const found = this.examples(model, choice);
    const { list, order, search = '' } = choice;
    const page = Math.min(this.ui.page ?? 0, Math.max(0, Math.ceil(found.length / PAGE) - 1));
    const { origin } = this;
    return examplesList(
      model,
      { list, order, search, page, chips: this.chips(model), found, copied: this.copied },
      {
        list: (l) => this.choose({ list: l, order: undefined }),
        order: (o) => this.choose({ order: o }),
        search: (words) => this.choose({ search: words }),
        page: (p, below) => {
          this.keep({ page: p });
          if (below) this.showList();
        },
        clear: () => this.choose({ label: undefined, predicted: undefined, bin: undefined, search: '' }),
        ...(origin?.isConnected && { back: () => origin.focus() }),
        open: (example) => say({ type: 'openRow', example }),
        copy: () => this.copy(model, found),
      },
    );
  }

  private notice() {
    if (!this.outdated) return nothing;
    return html`<div class="notice" role="status">
      <p>
        ${
          this.outdated === 'run'
            ? t('The run was trained anew from before this step: these are the errors of what it was.')
            : t('The data file was changed after this was predicted.')
        }
      </p>
      ${this.again()}
    </div>`;
  }

  private problem({ message, again }: { message: string; again: boolean }) {
    return html`<div class="error" role="alert">
      <p>${message}</p>
      ${again ? this.again() : nothing}
    </div>`;
  }

  private again() {
    return html`<vscode-button data-action="predict" @click=${() => say({ type: 'predict' })}
      >${t('Predict Again')}</vscode-button
    >`;
  }
}

const form = ({ form }: Model): string[] => (form === 'static' ? [t('static form')] : []);

/** Shown if these are the errors of other weights or data than were trained on. */
function inputsWarning({ inputs }: Model) {
  if (!inputs) return nothing;
  return html`<div class="notice" role="status">
    ${[...inputs.changed, ...inputs.notes].map((words) => html`<p>${words}</p>`)}
  </div>`;
}
