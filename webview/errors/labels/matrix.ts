import { html, nothing } from 'lit';
import { supportOf } from '../../../src/protocol/errors-view/confusion';
import { t } from '../../../src/base/l10n';
import { cautiousPercent } from '../../../src/base/percent';
import { count } from '../../../src/base/number-text';
import { cellAfter, type Cell } from './matrix-keys';
import type { LabelModel } from '../model';

export interface MatrixActions {
  /** The cell in the tab order. */
  move(cell: Cell): void;
  choose(label: number, predicted: number): void;
}

/** Number of shades; the lightest is visible, and text is readable on the darkest. */
const SHADES = 6;
/** With more labels, their names are vertical. */
const MOST_LYING = 6;

/** Which labels are predicted as which. */
export function matrix(
  model: LabelModel,
  at: Cell,
  chosen: { label?: number; predicted?: number },
  act: MatrixActions,
) {
  const { labels, shown } = model;
  const key = (e: KeyboardEvent) => {
    if (e.key === 'Enter' || e.key === ' ') act.choose(shown[at.row], shown[at.column]);
    else {
      const to = cellAfter(e, at, shown.length);
      if (!to) return;
      act.move(to);
    }
    e.preventDefault();
  };
  return html`<section aria-labelledby="matrix-title">
    <h2 id="matrix-title">${t('Confusion matrix')}</h2>
    <p class="note">
      ${t(
        'Rows are true labels, columns are predicted labels; the diagonal is correct. The shade is the share of the row. Click a cell, or move with the arrow keys and press Enter, to list its examples.',
      )}
      ${
        shown.length < labels.length
          ? t(
              'Of {0} labels, these are the {1} with the most confusions. The lists below have all labels.',
              labels.length,
              shown.length,
            )
          : nothing
      }
    </p>
    <div class="scroll">
      <table
        class="matrix ${shown.length > MOST_LYING ? 'upright' : ''}"
        role="grid"
        aria-labelledby="matrix-title"
        @keydown=${key}
      >
        <thead>
          <tr>
            <th scope="col" class="corner">${t('predicted →')}<br />${t('true ↓')}</th>
            ${shown.map((l) => html`<th scope="col" title=${labels[l]}><span>${labels[l]}</span></th>`)}
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            (label, row) =>
              html`<tr>
                <th scope="row" title=${labels[label]}>${labels[label]}</th>
                ${shown.map((predicted, column) => {
                  const reached = row === at.row && column === at.column;
                  const selected = chosen.label === label && chosen.predicted === predicted;
                  return cell(model, label, predicted, reached, selected, () => {
                    act.move({ row, column });
                    act.choose(label, predicted);
                  });
                })}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function cell(
  { labels, confusion }: LabelModel,
  label: number,
  predicted: number,
  reached: boolean,
  selected: boolean,
  choose: () => void,
) {
  const n = confusion.counts[label * confusion.labels + predicted];
  const share = n === 0 ? 0 : n / supportOf(confusion, label);
  const [name, other, texts] = [labels[label], labels[predicted], count(n)];
  const words =
    label === predicted
      ? t('{0}, right: {1} examples, {2} of the label', name, texts, cautiousPercent(share))
      : t('{0} predicted as {1}: {2} examples, {3} of the label', name, other, texts, cautiousPercent(share));
  // Square root: confusions of a few percent are the interesting ones.
  const shade = Math.ceil(SHADES * Math.sqrt(share));
  return html`<td
    class="${label === predicted ? 'right' : 'wrong'} shade-${shade}"
    tabindex=${reached ? 0 : -1}
    aria-label=${words}
    aria-selected=${selected ? 'true' : 'false'}
    title=${n > 0 ? words : nothing}
    @click=${choose}
  >
    ${n > 0 ? texts : nothing}
  </td>`;
}
