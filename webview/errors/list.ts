import { html, nothing } from 'lit';
import type { List, Order } from '../../src/protocol/errors-view/choice';
import { t } from '../../src/base/l10n';
import { count } from '../../src/base/number-text';
import { examplesTable } from './list-table';
import type { CommonModel } from './model';
import type { AnswerPart } from './part';

/** Rows per page. */
export const PAGE = 50;

export interface Chip {
  text: string;
  remove(): void;
}

export interface ListActions {
  list(list: List): void;
  order(order: Order): void;
  search(words: string): void;
  /** `below`: chosen from below the list, so that its start is out of view. */
  page(page: number, below: boolean): void;
  clear(): void;
  /** Back to where the filter was chosen; undefined if it was not chosen on this page. */
  back?(): void;
  open(example: number): void;
  copy(): void;
}

export interface ListState {
  list: List;
  order: Order;
  search: string;
  page: number;
  chips: readonly Chip[];
  /** Matching examples, in order. */
  found: readonly number[];
  copied: string;
}

/** The examples, one page at a time, each with a link to its row in the data file. */
export function examplesList(model: CommonModel, part: AnswerPart, state: ListState, act: ListActions) {
  const { found, page } = state;
  const { examples: cells, stored } = part;
  const rows = found.slice(page * PAGE, (page + 1) * PAGE);
  return html`<section class="examples" aria-labelledby="list-title">
    <h2 id="list-title" tabindex="-1">${t('Examples')}</h2>
    <div class="tools">
      ${lists(model, state, act)} ${order(part, state, act)}
      <label
        >${t('Find')}
        <input
          type="search"
          .value=${state.search}
          @input=${(e: Event) => act.search((e.target as HTMLInputElement).value)}
      /></label>
    </div>
    ${chips(state, act)}
    <div class="tools">
      <span role="status">${told(state)}</span>
      ${found.length > PAGE ? pager(state, act, false) : nothing}
      ${
        found.length > 0
          ? html`<vscode-button appearance="secondary" data-action="copy" @click=${act.copy}
              >${
                found.length === 1 ? t('Copy 1 row as CSV') : t('Copy {0} rows as CSV', count(found.length))
              }</vscode-button
            >`
          : nothing
      }
    </div>
    ${found.length > 0 ? (cells.legend ?? nothing) : nothing}
    ${found.length > 0 ? examplesTable(model, cells, rows, act) : none(model, state, act)}
    ${found.length > PAGE ? html`<div class="tools">${pager(state, act, true)}</div>` : nothing}
    ${model.texts.size < model.examples ? html`<p class="note">${stored}</p>` : nothing}
    <p class="visually-hidden" role="status">${state.copied}</p>
  </section>`;
}

function lists(
  { lists, examples, right, texts, pictures }: CommonModel,
  { list }: ListState,
  act: ListActions,
) {
  const names: Record<List, string> = {
    wrong: t('Wrong ({0})', count(examples - right)),
    unsure: t('Least confident'),
    all: t('All ({0})', count(examples)),
    text: pictures
      ? t('All with a picture ({0})', count(texts.size))
      : t('All with text ({0})', count(texts.size)),
  };
  return html`<div class="toggle" role="group" aria-label=${t('Which examples')}>
    ${lists.map(
      (name) =>
        html`<button
          data-list=${name}
          aria-pressed=${name === list ? 'true' : 'false'}
          @click=${() => act.list(name)}
        >
          ${names[name]}
        </button>`,
    )}
  </div>`;
}

function order({ orders }: AnswerPart, { order }: ListState, act: ListActions) {
  const names = Object.entries(orders);
  if (names.length === 1) return html`<span>${names[0][1]}</span>`;
  return html`<label
    >${t('Sort')}
    <select @change=${(e: Event) => act.order((e.target as HTMLSelectElement).value as Order)}>
      ${names.map(([o, name]) => html`<option value=${o} ?selected=${o === order}>${name}</option>`)}
    </select></label
  >`;
}

function chips({ chips }: ListState, act: ListActions) {
  if (chips.length === 0) return nothing;
  return html`<div class="chips" role="group" aria-label=${t('Filters')}>
    ${chips.map(
      ({ text, remove }) =>
        html`<button class="chip" title=${t('Remove this filter')} @click=${remove}>
          <span>${text}</span><span aria-hidden="true">✕</span
          ><span class="visually-hidden">${t('(remove this filter)')}</span>
        </button>`,
    )}
    ${chips.length > 1 ? html`<button class="link" @click=${act.clear}>${t('Remove all')}</button>` : nothing}
    ${act.back ? html`<button class="link" data-action="back" @click=${act.back}>${t('Back to the Selected Cell')}</button>` : nothing}
  </div>`;
}

function told({ found, page }: ListState): string {
  if (found.length === 0) return t('No example.');
  if (found.length === 1) return t('1 example.');
  if (found.length <= PAGE) return t('{0} examples.', found.length);
  const to = Math.min(found.length, (page + 1) * PAGE);
  return t('{0} examples; {1} to {2}.', count(found.length), count(page * PAGE + 1), count(to));
}

function pager({ found, page }: ListState, act: ListActions, below: boolean) {
  const last = Math.ceil(found.length / PAGE) - 1;
  const go = (name: string, label: string, to: number, disabled: boolean) =>
    html`<vscode-button
      appearance="secondary"
      data-action=${name}
      ?disabled=${disabled}
      @click=${() => act.page(to, below)}
      >${label}</vscode-button
    >`;
  return html`<span class="pager"
    >${go('previous', t('Previous'), page - 1, page === 0)}
    ${go('next', t('Next'), page + 1, page === last)}</span
  >`;
}

/** Why the list is empty, and what to do about it. */
function none({ right, examples }: CommonModel, { list, chips, search }: ListState, act: ListActions) {
  if (list === 'wrong' && right === examples)
    return html`<p class="empty">
      ${t('None are wrong.')}
      <button class="link" @click=${() => act.list('unsure')}>
        ${t('Show those that the model is least sure of.')}
      </button>
    </p>`;
  return html`<p class="empty">
    ${t('No matching examples.')}
    ${
      chips.length > 0 || search !== ''
        ? html`<button class="link" @click=${act.clear}>${t('Remove all filters.')}</button>`
        : nothing
    }
  </p>`;
}
