import { html, nothing } from 'lit';
import { cautiousPercent } from '../../../src/base/percent';
import { FEW } from '../../../src/protocol/errors-view/slices';
import type { FoundCounts } from '../../../src/protocol/errors-view/found-counts';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../../src/protocol/predictions';
import { t } from '../../ui/l10n';
import { count } from '../format';
import type { SpanModel } from '../model';
import { shareBar } from '../slices';

/** Types shown by default. */
const FIRST_TYPES = 10;

export interface TypeActions {
  /** All spans of a type, or those of which this became. */
  choose(type: number, found: number | undefined): void;
  showAll(all: boolean): void;
}

/** How well each type of span is found, the worst first. */
export function typesTable(
  model: SpanModel,
  chosen: { type?: number; found?: number },
  all: boolean,
  act: TypeActions,
) {
  const { types } = model;
  const shown = all ? types : types.slice(0, FIRST_TYPES);
  return html`<section aria-labelledby="types-title">
    <h2 id="types-title">${t('By type, worst first')}</h2>
    <p class="note">
      ${t('A span is found if its words and its type are right. A text is right if none of its spans is missed or spurious.')}
    </p>
    ${types.length === 0 ? html`<p class="note">${t('No text has a span, and none was predicted.')}</p>` : table(model, shown, chosen, act)}
    ${
      shown.some((type) => spansOfType(type) < FEW)
        ? html`<p class="note">${t('With fewer than {0} spans these shares may as well be chance.', FEW)}</p>`
        : nothing
    }
    ${
      types.length > FIRST_TYPES
        ? html`<button class="link" aria-expanded=${all ? 'true' : 'false'} @click=${() => act.showAll(!all)}>
            ${all ? t('Show the {0} worst', FIRST_TYPES) : t('Show all {0} types', types.length)}
          </button>`
        : nothing
    }
  </section>`;
}

const spansOfType = ({ found, missed, spurious }: FoundCounts): number => found + missed + spurious;

const table = (
  model: SpanModel,
  shown: readonly FoundCounts[],
  chosen: { type?: number; found?: number },
  act: TypeActions,
) =>
  html`<div class="scroll">
    <table class="slices types" data-table="types" aria-labelledby="types-title">
      <thead>
        <tr>
          <th scope="col">${t('Type')}</th>
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
        ${shown.map((type) => row(type, model.labels[type.label], chosen, act))}
      </tbody>
    </table>
  </div>`;

function row(
  { label: type, found, missed, spurious, precision, recall, f1 }: FoundCounts,
  name: string,
  chosen: { type?: number; found?: number },
  act: TypeActions,
) {
  const pressed = (state: number | undefined) =>
    chosen.type === type && chosen.found === state ? 'true' : 'false';
  const counted = (state: number, n: number, words: string) =>
    n === 0
      ? count(n)
      : html`<button
          class="link"
          aria-label=${words}
          aria-pressed=${pressed(state)}
          @click=${() => act.choose(type, state)}
        >
          ${count(n)}
        </button>`;
  const share = (value: number | undefined) => (value === undefined ? '–' : cautiousPercent(value));
  return html`<tr class=${chosen.type === type ? 'chosen' : ''}>
    <th scope="row">
      <button
        class="link name"
        aria-pressed=${pressed(undefined)}
        @click=${() => act.choose(type, undefined)}
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
      ${found + missed + spurious < FEW ? html`<small>${t('too few to tell')}</small>` : nothing}
    </td>
    <td class="bar">${shareBar(f1)}</td>
  </tr>`;
}
