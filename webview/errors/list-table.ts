import { html, nothing } from 'lit';
import { rowIn, rowWord } from '../../src/protocol/row-place';
import { t } from '../../src/base/l10n';
import { count } from '../../src/base/number-text';
import type { CommonModel } from './model';
import type { ExampleCells } from './part';

const HEADS = { line: 'Line', row: 'Row', item: 'Item', image: 'Number' };

interface RowActions {
  open(example: number): void;
}

export function examplesTable(
  model: CommonModel,
  cells: ExampleCells,
  rows: readonly number[],
  act: RowActions,
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
        ${rows.map((example) => row(model, cells, example, act))}
      </tbody>
    </table>
  </div>`;
}

function row(
  { columns: c, texts, file, parts, pictures }: CommonModel,
  cells: ExampleCells,
  example: number,
  act: RowActions,
) {
  const own = rowIn(file, c.line[example], parts);
  const word = t(rowWord(file));
  const name = t('Open {0} {1} of {2}', word, own.row, own.file);
  const excerpt = texts.get(example);
  const open = (e: Event) => {
    e.stopPropagation();
    act.open(example);
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
          ? html`${excerpt.thumbnail === undefined ? nothing : html`<img class="thumbnail" src=${excerpt.thumbnail} alt="" />`}${cells.text(example, excerpt.text)}${excerpt.pair === undefined ? nothing : html`<div class="pair">${excerpt.pair}</div>`}`
          : html`<i
              >${pictures ? t('Open the row to see the image.') : t('Open the row to read the text.')}</i
            >`
      }
    </td>
  </tr>`;
}
