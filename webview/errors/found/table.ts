import { html, nothing } from 'lit';
import { cautiousPercent } from '../../../src/base/percent';
import { FEW } from '../../../src/protocol/errors-view/slices';
import type { FoundCounts } from '../../../src/protocol/errors-view/found-counts';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../../src/protocol/prediction-columns';
import { t } from '../../../src/base/l10n';
import { count } from '../../../src/base/number-text';
import { bar } from '../slices';
import type { FoundModel } from './part';
import type { FoundWords } from './words';

/** Rows shown by default. */
const FIRST_ROWS = 10;

/** A type or label, and what became of it (ANSWER_MISSED …). */
interface Chosen {
  label?: number;
  found?: number;
}

interface TableActions {
  /** Everything of a type or label, or that of which this became. */
  choose(label: number, found: number | undefined): void;
  showAll(all: boolean): void;
}

/** How well each type or label is found, the worst first. */
export function foundTable(
  model: FoundModel,
  words: FoundWords,
  chosen: Chosen,
  all: boolean,
  act: TableActions,
) {
  const { counts } = model;
  const shown = all ? counts : counts.slice(0, FIRST_ROWS);
  return html`<section aria-labelledby="found-title">
    <h2 id="found-title">${words.title}</h2>
    <p class="note">${words.note}</p>
    ${counts.length === 0 ? html`<p class="note">${words.none}</p>` : table(model, words, shown, chosen, act)}
    ${shown.some((c) => numberOf(c) < FEW) ? html`<p class="note">${words.few}</p>` : nothing}
    ${
      counts.length > FIRST_ROWS
        ? html`<button class="link" aria-expanded=${all ? 'true' : 'false'} @click=${() => act.showAll(!all)}>
            ${all ? t('Show the {0} worst', FIRST_ROWS) : words.showAll(counts.length)}
          </button>`
        : nothing
    }
  </section>`;
}

const numberOf = ({ found, missed, spurious }: FoundCounts): number => found + missed + spurious;

const table = (
  model: FoundModel,
  words: FoundWords,
  shown: readonly FoundCounts[],
  chosen: Chosen,
  act: TableActions,
) =>
  html`<div class="scroll">
    <table class="slices" data-table="found" aria-labelledby="found-title">
      <thead>
        <tr>
          <th scope="col">${words.name}</th>
          <th scope="col" class="number">${t('In the data')}</th>
          <th scope="col" class="number">${t('Found')}</th>
          <th scope="col" class="number">${t('Missed')}</th>
          <th scope="col" class="number">${t('Spurious')}</th>
          <th scope="col" class="number">${t('Precision')}</th>
          <th scope="col" class="number">${t('Recall')}</th>
          <th scope="col" colspan="2">${t('F1')}</th>
        </tr>
      </thead>
      <tbody>
        ${shown.map((counts) => row(counts, model.labels[counts.label], chosen, act))}
      </tbody>
    </table>
  </div>`;

function row(counts: FoundCounts, name: string, chosen: Chosen, act: TableActions) {
  const { label, found, missed, spurious, precision, recall, f1 } = counts;
  const pressed = (state: number | undefined) =>
    chosen.label === label && chosen.found === state ? 'true' : 'false';
  const counted = (state: number, n: number, words: string) =>
    n === 0
      ? count(n)
      : html`<button
          class="link"
          aria-label=${words}
          aria-pressed=${pressed(state)}
          @click=${() => act.choose(label, state)}
        >
          ${count(n)}
        </button>`;
  const share = (value: number | undefined) => (value === undefined ? '–' : cautiousPercent(value));
  return html`<tr class=${chosen.label === label ? 'chosen' : ''}>
    <th scope="row">
      <button
        class="link name"
        aria-pressed=${pressed(undefined)}
        @click=${() => act.choose(label, undefined)}
      >
        ${name}
      </button>
    </th>
    <td class="number">${count(found + missed)}</td>
    <td class="number">${counted(ANSWER_FOUND, found, t('{0}: {1} found', name, count(found)))}</td>
    <td class="number">${counted(ANSWER_MISSED, missed, t('{0}: {1} missed', name, count(missed)))}</td>
    <td class="number">
      ${counted(ANSWER_SPURIOUS, spurious, t('{0}: {1} spurious', name, count(spurious)))}
    </td>
    <td class="number">${share(precision)}</td>
    <td class="number">${share(recall)}</td>
    <td class="number">
      ${cautiousPercent(f1)}
      ${numberOf(counts) < FEW ? html`<small>${t('too few to tell')}</small>` : nothing}
    </td>
    <td class="bar">${bar(f1)}</td>
  </tr>`;
}
