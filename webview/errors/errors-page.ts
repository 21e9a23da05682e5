import { html, LitElement, nothing } from 'lit';
import { state } from 'lit/decorators.js';
import { t } from '../../src/base/l10n';
import { count } from '../../src/base/number-text';
import { parseMeasuredOn, setName, type MeasuredOn } from '../../src/experiment/evaluation-sets';
import { formatMetric, metricInfo, metricValue } from '../../src/experiment/metrics';
import { shownMetrics } from '../../src/experiment/shown-metrics';
import { absentWords } from '../../src/protocol/absent-labels';
import { chosen, type List, type Order } from '../../src/protocol/answers/examples';
import type { ErrorsFromHost, ErrorsFromPage, ErrorsOpen } from '../../src/protocol/panels/errors';
import { connect, post, savedUi, saveUi } from '../ui/host';
import { answersPart } from './answer-kinds';
import type { AnswerPart, AnswersPart } from './answer-part';
import type { Cell } from './confusion-matrix';
import { modelOf, NO_FILTERS, type Model, type Ui } from './errors-model';
import { examplesCsv, examplesList, PAGE, type Chip } from './examples-list';
import { binName, lengthTable } from './slice-table';

/** The default order of each list. */
const ORDER: Record<List, Order> = { wrong: 'loss', unsure: 'margin', all: 'loss', text: 'loss' };

const say = (message: ErrorsFromPage): void => post(message);

/** A checkpoint's errors: its answers, slices, and the examples behind each number. */
export class ErrorsPage extends LitElement {
  @state() private model: (Model & { part: AnswersPart }) | undefined;
  @state() private outdated: 'run' | 'data' | undefined;
  @state() private predicting: Predicting | undefined;
  @state() private error: { message: string; again: boolean } | undefined;
  @state() private copied = '';
  /** The cell in the tab order. */
  @state() private cell: Cell = { row: 0, column: 0 };
  private ui: Partial<Ui> = savedUi<Ui>();
  /** The element where the last filter was chosen. */
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
      const model = modelOf(message);
      this.model = { ...model, part: answersPart(model, message.predictions) };
      this.outdated = this.error = undefined;
      this.predicting = message.partial && { run: message.run, ...message.partial };
    } else if (message.type === 'predicting') {
      this.predicting = message;
      this.error = undefined;
    } else if (message.type === 'outdated') this.outdated = message.because;
    else {
      this.error = message;
      this.predicting = undefined;
    }
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

  private move(cell: Cell): void {
    this.cell = cell;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>('.matrix td[tabindex="0"]')?.focus());
  }

  private list(): List {
    const { lists, right, examples } = this.model!;
    return this.ui.list ?? (right < examples ? 'wrong' : lists.find((l) => l !== 'wrong')!);
  }

  private answers({ part }: { part: AnswersPart }): AnswerPart {
    return part(
      { ui: this.ui, list: this.list(), cell: this.cell },
      {
        choose: (change) => this.choose(change),
        filter: (change) => this.filter(change),
        keep: (change) => this.keep(change),
        move: (cell) => this.move(cell),
      },
    );
  }

  /** Examines every example, so only when the filter changes. */
  private examples(model: Model, list: List, order: Order, { suits, texts }: AnswerPart): number[] {
    const { label, predicted, found, value, bin, search } = this.ui;
    const key = JSON.stringify({ list, order, label, predicted, found, value, bin, search });
    if (this.found?.key === key && this.found.model === model) return this.found.examples;
    const choice = {
      list,
      order,
      search,
      answer: suits,
      texts,
      bin: bin === undefined ? undefined : model.bins[bin],
    };
    const examples = chosen(model.columns, model.wrong, model.texts, choice);
    this.found = { key, model, examples };
    return examples;
  }

  private chips({ bins }: Model, { chips }: AnswerPart): Chip[] {
    const { bin } = this.ui;
    const all = [...(chips ?? [])];
    if (bin !== undefined && bins[bin]) all.push({ text: binName(bins[bin]), change: { bin: undefined } });
    return all.map(({ text, change }) => ({
      text,
      remove: () => {
        this.choose(change);
        // The chip is gone; the focus must not be lost with it.
        void this.updateComplete.then(() =>
          this.querySelector<HTMLElement>('.chip, #list-title')?.focus({ preventScroll: true }),
        );
      },
    }));
  }

  private copy({ csv }: AnswerPart, examples: readonly number[]): void {
    say({ type: 'copy', text: examplesCsv(this.model!, csv, examples) });
    this.copied = t('Copied {0} rows.', count(examples.length));
  }

  protected override render() {
    const { model } = this;
    if (!model && this.error) return this.problem(this.error);
    if (!model && this.predicting)
      return html`<h1>${t('Errors of {0}', this.predicting.run)}</h1>
        ${predictingPart(this.predicting)}`;
    if (!model) return html`<p class="note" role="status">${t('Reading the predictions…')}</p>`;
    const { bin } = this.ui;
    const part = this.answers(model);
    const places = [model.experiment, t('step {0}', count(model.step)), ...form(model), model.file];
    return html`<h1>${t('Errors of {0}', model.run)}</h1>
      <p class="note">${places.join(' · ')}</p>
      ${model.sets.length > 1 ? setChoice(model) : nothing} ${inputsWarning(model)}
      ${this.error ? this.problem(this.error) : nothing}
      ${this.predicting ? predictingPart(this.predicting) : this.notice()} ${summary(model, part)}
      <div class="overview">
        ${part.wide}
        <div class="beside">
          ${part.table}
          ${lengthTable(model, part.lengths, bin, (b) =>
            b === bin ? this.choose({ bin: undefined }) : this.filter({ bin: b }),
          )}
        </div>
      </div>
      ${this.examplesPart(model, part)}`;
  }

  private examplesPart(model: Model, part: AnswerPart) {
    const list = this.list();
    const { order = ORDER[list], search = '' } = this.ui;
    const found = this.examples(model, list, order, part);
    const page = Math.min(this.ui.page ?? 0, Math.max(0, Math.ceil(found.length / PAGE) - 1));
    const { origin } = this;
    return examplesList(
      model,
      part,
      { list, order, search, page, chips: this.chips(model, part), found, copied: this.copied },
      {
        list: (l) => this.choose({ list: l, order: undefined }),
        order: (o) => this.choose({ order: o }),
        search: (words) => this.choose({ search: words }),
        page: (p, below) => {
          this.keep({ page: p });
          if (below) this.showList();
        },
        clear: () => this.choose(NO_FILTERS),
        ...(origin?.isConnected && { back: () => origin.focus() }),
        open: (example) => say({ type: 'openRow', example }),
        copy: () => this.copy(part, found),
      },
    );
  }

  private notice() {
    if (!this.outdated) return nothing;
    return html`<div class="notice" role="status">
      <p>
        ${
          this.outdated === 'run'
            ? t(
                'The run has since been trained again from an earlier step. These are the errors of its previous weights.',
              )
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

interface Predicting {
  run: string;
  done?: number;
  of?: number;
}

/** The progress; the page below it shows the examples so far. */
function predictingPart({ done, of }: Predicting) {
  const known = done !== undefined && of !== undefined && of > 0;
  const words = known
    ? t('Predicting: {0} of {1} examples', count(done), count(of))
    : t('Reading the model and the data…');
  return html`<div class="notice predicting">
    <p>${words}</p>
    <progress aria-label=${t('Predicting')} max=${of ?? 1} value=${known ? done : nothing}></progress>
    <vscode-button appearance="secondary" data-action="cancel" @click=${() => say({ type: 'cancel' })}
      >${t('Cancel')}</vscode-button
    >
  </div>`;
}

/** The shown set stays selected: another one has its own view. */
function setChoice({ on, sets }: Model) {
  const open = (e: Event) => {
    const select = e.target as HTMLSelectElement;
    const wanted = parseMeasuredOn(select.value);
    select.value = on;
    if (wanted && wanted !== on) say({ type: 'openSet', on: wanted });
  };
  return html`<label class="data-set"
    >${t('Data set')}
    <select @change=${open}>
      ${sets.map((set) => html`<option value=${set} ?selected=${set === on}>${setLabel(set)}</option>`)}
    </select></label
  >`;
}

function setLabel(set: MeasuredOn): string {
  if (set === 'validation') return t('Validation');
  return set === 'test' ? t('Test') : setName(set);
}

const form = ({ form }: Model): string[] => (form === 'static' ? [t('static form')] : []);

/** Shown if these are the errors of other weights or data than were trained on. */
function inputsWarning({ inputs }: Model) {
  if (!inputs) return nothing;
  return html`<div class="notice" role="status">
    ${[...inputs.changed, ...inputs.notes].map((words) => html`<p>${words}</p>`)}
  </div>`;
}

/** The quality of the answers, in sentences, and what is most often wrong. */
function summary(model: Model, { told, worst }: AnswerPart) {
  const absent = absentWords(model.metrics);
  return html`<p class="summary">${told} ${numbers(model)}</p>
    ${absent === undefined ? nothing : html`<p class="note" data-fact="absent">${absent}</p>`} ${worst}`;
}

/** "Loss 0.4312, F1 61.2%." The share of right texts is in the sentence before. */
function numbers({ metrics }: Model): string {
  const names = shownMetrics(undefined, metrics).filter((m) => metricInfo(m).meanOf !== 'correct');
  const [first, ...rest] = names
    .map((m) => t('{0} {1}', t(metricInfo(m).label), formatMetric(m, metricValue(metrics, m))))
    .join(', ');
  return `${first.toUpperCase()}${rest.join('')}.`;
}
