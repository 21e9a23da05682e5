import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { state } from 'lit/decorators.js';
import { escapeControls } from '../../src/base/escape';
import { t } from '../../src/base/l10n';
import type {
  TokensChoice,
  TokensFromPage,
  TokensOpen,
  TokensToPage,
} from '../../src/protocol/panels/tokens';
import {
  rowPosition,
  rowTitle,
  tokensFacts,
  tokensSummary,
  tokensWarning,
  tokenWords,
} from '../../src/protocol/reports/tokens-report';
import { isSplit, type SplitName, type TokenRow } from '../../src/protocol/tokens';
import { connect, post, savedUi, saveUi } from '../ui/host';
import { FIRST_TOKENS, tokenLegend, tokenList } from './token-list';

const say = (message: TokensFromPage): void => post(message);

/** One row of an experiment's texts as training reads it. */
export class TokensPage extends LitElement {
  @state() private shown: { experiment: string; row: TokenRow } | undefined;
  @state() private reading = false;
  @state() private error: string | undefined;
  @state() private active = 0;
  @state() private all = false;
  @state() private opened: ReadonlySet<number> = new Set();
  /** The row as typed, until it is shown. */
  @state() private typed: string | undefined;

  /** One style sheet for everything. */
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    connect<TokensOpen, TokensToPage>(
      ({ row, split }) => {
        const { choice = { row, split } } = savedUi<{ choice: TokensChoice }>();
        this.ask(choice);
      },
      (message) => this.receive(message),
    );
  }

  private receive(message: TokensToPage): void {
    this.reading = message.type === 'reading';
    if (message.type === 'reading') return;
    this.error = message.type === 'error' ? message.message : undefined;
    if (message.type === 'error') return;
    const isOther = message.row.name !== this.shown?.row.name || message.row.split !== this.shown.row.split;
    this.shown = message;
    this.typed = undefined;
    const { packed, tokens } = message.row;
    const begin = packed?.texts[packed.own]!.begin ?? 0;
    // The row that was asked for is always drawn, also after other long texts.
    this.all = begin >= FIRST_TOKENS || (this.all && !isOther);
    this.active = isOther ? begin : Math.max(0, Math.min(this.active, tokens.length - 1));
    if (!isOther) return;
    this.opened = new Set();
  }

  private ask(choice: TokensChoice): void {
    saveUi({ choice });
    say({ type: 'show', ...choice });
  }

  protected override render(): TemplateResult {
    const { shown, error } = this;
    if (!shown)
      return error === undefined
        ? html`<p class="note" role="status">${t('Reading the row…')}</p>`
        : html`<div class="error" role="alert"><p>${escapeControls(error, '\n')}</p></div>
            ${this.typed === undefined ? nothing : this.tools(undefined)}
            <p><button class="link" @click=${() => this.ask({})}>${t('Show the First Row')}</button></p>`;
    const { row, experiment } = shown;
    return html`<main aria-busy=${this.reading ? 'true' : 'false'}>
      <h1>${t('Tokens of {0}', escapeControls(rowTitle(row)))}</h1>
      <p class="note">
        <button class="link" data-action="experiment" @click=${() => say({ type: 'openExperiment' })}>
          ${experiment}
        </button>
        · ${rowPosition(row)}
      </p>
      ${this.tools(row)}
      ${error === undefined ? nothing : html`<div class="error" role="alert"><p>${escapeControls(error, '\n')}</p></div>`}
      ${warning(row)}
      <p class="summary" role="status">${escapeControls(tokensSummary(row))}</p>
      <p class="note">
        ${tokensFacts(row).join(' ')}
        ${
          row.batch || row.leftOut
            ? nothing
            : html`<button
                class="link"
                data-action="batch"
                @click=${() => this.ask({ row: row.name, split: row.split, batch: true })}
              >
                ${t('Show its batch, which reads all texts')}
              </button>`
        }
      </p>
      ${tokenLegend(row)}
      ${tokenList(
        row,
        { active: this.active, all: this.all, opened: this.opened },
        {
          move: (to) => (this.active = to),
          showAll: () => (this.all = true),
          toggleCut: (at) => {
            const opened = new Set(this.opened);
            if (!opened.delete(at)) opened.add(at);
            this.opened = opened;
          },
          show: (name) => this.ask({ row: name, split: row.split }),
        },
      )}
      ${this.detail(row)}
    </main>`;
  }

  /** The controls that choose a row. */
  private tools(row: TokenRow | undefined): TemplateResult {
    const split = row?.split ?? 'train';
    const step = (name: string | undefined, label: string, action: string) =>
      html`<vscode-button
        appearance="secondary"
        data-action=${action}
        ?disabled=${name === undefined}
        @click=${() => this.ask({ row: name, split })}
        >${label}</vscode-button
      >`;
    return html`<form
      class="tools"
      @submit=${(e: Event) => {
        e.preventDefault();
        const typed = (this.typed ?? row?.name ?? '').trim();
        if (typed !== '') this.ask({ row: typed, ...splitFor(row, typed) });
      }}
    >
      <label
        >${t('Data')}
        <select data-field="split" @change=${(e: Event) => this.chooseSplit(e)}>
          ${splitOption('train', t('Training'), split)} ${splitOption('validation', t('Validation'), split)}
        </select>
      </label>
      ${step(row?.previous, t('Previous Row'), 'previous')} ${step(row?.next, t('Next Row'), 'next')}
      <label
        >${t('Row')}
        <input
          type="text"
          data-field="row"
          size="8"
          spellcheck="false"
          title=${t('The number of the row in its file, as in errors. Press Enter to show it.')}
          .value=${this.typed ?? row?.name ?? ''}
          @input=${(e: Event) => (this.typed = (e.target as HTMLInputElement).value)}
        />
      </label>
      ${
        row
          ? html`<vscode-button
              appearance="secondary"
              data-action="open"
              @click=${() => say({ type: 'openRow' })}
              >${t('Open in Its File')}</vscode-button
            >`
          : nothing
      }
      <span class="note" role="status">${this.reading ? t('Reading…') : ''}</span>
    </form>`;
  }

  private chooseSplit(e: Event): void {
    const { value } = e.target as HTMLSelectElement;
    if (isSplit(value)) this.ask({ split: value });
  }

  /** The token with the focus, in words. */
  private detail({ tokens, perToken }: TokenRow) {
    const token = tokens[this.active];
    if (!token) return nothing;
    return html`<p class="detail">
      ${t('Token {0} of {1}: {2}', this.active + 1, tokens.length, escapeControls(tokenWords(token, perToken)))}
    </p>`;
  }
}

/** Two files have rows with the same numbers: a number alone means one in the file that is shown. */
const splitFor = (row: TokenRow | undefined, typed: string): TokensChoice =>
  !row || row.shared || typed.includes(':') ? {} : { split: row.split };

const splitOption = (name: SplitName, label: string, chosen: SplitName): TemplateResult =>
  html`<option value=${name} ?selected=${name === chosen}>${label}</option>`;

function warning(row: TokenRow) {
  const found = tokensWarning(row);
  if (!found) return nothing;
  return html`<div class="warning" role="alert">
    <p>${escapeControls(found.message)}</p>
    <p>${found.hint}</p>
  </div>`;
}
