import { html, nothing } from 'lit';
import { t } from '../../src/base/l10n';
import { count } from '../../src/base/number-text';
import type { List, Order } from '../../src/protocol/answers/examples';
import { rowIn, rowWord } from '../../src/protocol/row-place';
import { csv } from '../../src/base/csv';
import type { AnswerPart, ExampleCells } from './answer-part';
import type { Model } from './errors-model';

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
export function examplesList(model: Model, part: AnswerPart, state: ListState, act: ListActions) {
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
    ${found.length > 0 ? examplesTable(model, cells, rows, act.open) : none(model, state, act)}
    ${found.length > PAGE ? html`<div class="tools">${pager(state, act, true)}</div>` : nothing}
    ${model.texts.size < model.examples ? html`<p class="note">${stored}</p>` : nothing}
    <p class="visually-hidden" role="status">${state.copied}</p>
  </section>`;
}

function lists({ lists, examples, right, texts, pictures }: Model, { list }: ListState, act: ListActions) {
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

/** Says why the list is empty, and what to do about it. */
function none({ right, examples, lists }: Model, { list, chips, search }: ListState, act: ListActions) {
  if (list === 'wrong' && right === examples)
    return html`<p class="empty">
      ${t('None are wrong.')}
      ${
        lists.includes('unsure')
          ? html`<button class="link" @click=${() => act.list('unsure')}>
              ${t('Show those that the model is least sure of.')}
            </button>`
          : nothing
      }
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

const HEADS = { line: 'Line', row: 'Row', item: 'Item', image: 'Number' };

function examplesTable(
  model: Model,
  cells: ExampleCells,
  rows: readonly number[],
  open: (example: number) => void,
) {
  // In a narrow window, rows are laid out as lines, which removes a table's roles.
  return html`<div class="scroll">
    <table class="list" role="table" aria-labelledby="list-title">
      <thead role="rowgroup">
        <tr role="row">
          ${cells.heads}
          ${model.pictures ? nothing : html`<th role="columnheader" class="number">${t('Tokens')}</th>`}
          <th role="columnheader" class="number">${t(HEADS[rowWord(model.file)])}</th>
          <th role="columnheader">${model.pictures ? t('Image') : t('Text')}</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map((example) => row(model, cells, example, open))}
      </tbody>
    </table>
  </div>`;
}

function row(
  { columns: c, texts, file, parts, pictures }: Model,
  cells: ExampleCells,
  example: number,
  openRow: (example: number) => void,
) {
  const own = rowIn(file, c.line[example], parts);
  const word = t(rowWord(file));
  const name = t('Open {0} {1} of {2}', word, own.row, own.file);
  const excerpt = texts.get(example);
  const open = (e: Event) => {
    e.stopPropagation();
    openRow(example);
  };
  // Dragging over a text to select it is not a click.
  const click = (e: Event) => {
    if (getSelection()?.isCollapsed !== false) open(e);
  };
  return html`<tr role="row" data-example=${example} @click=${click}>
    ${cells.cells(example)}
    ${
      pictures
        ? nothing
        : html`<td role="cell" class="number">
            ${count(c.tokens[example])}
            <span class="narrow">${t('tokens')}</span
            >${c.cut[example] ? html` <small>${t('truncated')}</small>` : nothing}
          </td>`
    }
    <td role="cell" class="number">
      <span class="narrow">${word}</span>
      <button class="link" aria-label=${name} title=${parts ? own.file : nothing} @click=${open}>
        ${own.row}
      </button>
    </td>
    <td role="cell" class="text">
      ${
        excerpt
          ? html`${excerpt.thumbnail === undefined ? nothing : html`<img class="thumbnail" src=${excerpt.thumbnail} alt="" />`}${cells.text?.(example, excerpt.text) ?? excerpt.text}${excerpt.pair === undefined ? nothing : html`<div class="pair">${excerpt.pair}</div>`}`
          : html`<i
              >${pictures ? t('Open the row to see the image.') : t('Open the row to read the text.')}</i
            >`
      }
    </td>
  </tr>`;
}

/** Everything known about some examples, for a spreadsheet. */
export function examplesCsv(
  { columns: c, texts }: Model,
  { names, cells }: AnswerPart['csv'],
  examples: readonly number[],
): string {
  const hasPairs = [...texts.values()].some((e) => e.pair !== undefined);
  return csv([
    ['line', ...names, 'tokens', 'cut', 'text', ...(hasPairs ? ['pair'] : [])],
    ...examples.map((i) => [
      c.line[i],
      ...cells(i),
      c.tokens[i],
      c.cut[i],
      texts.get(i)?.text ?? '',
      ...(hasPairs ? [texts.get(i)?.pair ?? ''] : []),
    ]),
  ]);
}
