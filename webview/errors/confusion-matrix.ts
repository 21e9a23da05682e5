import { html, nothing } from 'lit';
import { t } from '../../src/base/l10n';
import { count, cautiousPercent } from '../../src/base/number-text';
import { mostConfused, supportOf, type Confusion } from '../../src/protocol/answers/label';

/** Number of shades; the lightest is visible, and text is readable on the darkest. */
const SHADES = 6;
/** With more labels, their names are vertical. */
const MOST_LYING = 6;
/** With more labels, a matrix cannot be read at a glance. */
const MOST_LABELS = 30;

/** A place in the matrix. */
export interface Cell {
  row: number;
  column: number;
}

export interface MatrixActions {
  /** The cell in the tab order. */
  move(cell: Cell): void;
  choose(label: number, predicted: number): void;
}

/** The labels in the matrix: all of them, or those with the most confusions. */
export const matrixLabels = (confusion: Confusion): number[] =>
  confusion.labels > MOST_LABELS
    ? mostConfused(confusion, MOST_LABELS)
    : Array.from({ length: confusion.labels }, (_, label) => label);

/** The number of examples of each label that were predicted as each. */
export function confusionMatrix(
  labels: readonly string[],
  confusion: Confusion,
  shown: readonly number[],
  at: Cell,
  chosen: { label?: number; predicted?: number },
  act: MatrixActions,
) {
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
                  return cell(labels, confusion, label, predicted, reached, selected, () => {
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
  labels: readonly string[],
  confusion: Confusion,
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

/** The target of a key in a square grid of cells; undefined for other keys. */
function cellAfter(e: KeyboardEvent, { row, column }: Cell, size: number): Cell | undefined {
  const last = size - 1;
  const to: Record<string, Cell> = {
    ArrowLeft: { row, column: column - 1 },
    ArrowRight: { row, column: column + 1 },
    ArrowUp: { row: row - 1, column },
    ArrowDown: { row: row + 1, column },
    Home: { row: e.ctrlKey ? 0 : row, column: 0 },
    End: { row: e.ctrlKey ? last : row, column: last },
    PageUp: { row: 0, column },
    PageDown: { row: last, column },
  };
  if (!Object.hasOwn(to, e.key)) return undefined;
  const within = (n: number) => Math.max(0, Math.min(last, n));
  return { row: within(to[e.key].row), column: within(to[e.key].column) };
}
